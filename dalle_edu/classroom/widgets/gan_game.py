"""The game of a GAN on a line, round by round: a slider over what was measured of one game."""

from collections.abc import Sequence

from dalle_edu.classroom.diagrams.gan import Standing, draw_standing
from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.language import say


def game_explorer(standings: Sequence[Standing], start: int = 0) -> Explorer:
    """An interactive picture of D, p and q over the rounds of a game, as `play_on_a_line` measured them; `start` is the index shown first.

    Raises `DalleEduError` for no measure, or more than 64. Lesson 09.
    """
    by_round = {standing.rounds: standing for standing in standings}
    return Explorer(
        lambda rounds: draw_standing(by_round[rounds]),
        rounds=Knob(say("rounds played", "tours joués"), list(by_round), start=start),
    )
