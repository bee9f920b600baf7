"""What a notebook's file keeps of a widget: a picture and a sentence, and no name of a widget that is no more."""

import json
from types import SimpleNamespace

import nbformat.v4 as v4
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbconvert import HTMLExporter

from dalle_edu.classroom import saving
from dalle_edu.classroom.explorer import Explorer, Knob
from dalle_edu.classroom.figures import Picture, picture, plot
from dalle_edu.classroom.static import KEPT, VIEW
from dalle_edu.classroom.widgets.ranking import RankingDesk
from dalle_edu.classroom.widgets.studio import Studio


def frame(a: int) -> Picture:
    figure, axes = plot(width=1.0, height=1.0)
    axes.set_title(f"{a}")
    return picture(figure, f"a picture of {a}", density=0.2)


def shown(thing) -> dict:
    """The output that the last line of a cell leaves."""
    InteractiveShell.instance()
    try:
        with capture_output() as captured:
            thing._ipython_display_()
    finally:
        InteractiveShell.clear_instance()  # the other tests run outside of notebooks
    (output,) = captured.outputs
    return {"data": output.data, "metadata": output.metadata}


def explorer() -> Explorer:
    return Explorer(frame, a=Knob("number", list(range(9)), start=3))


def notebook(output: dict):
    cell = v4.new_code_cell("explorer", outputs=[v4.new_output("display_data", **output)])
    return v4.new_notebook(cells=[cell])


@pytest.mark.parametrize(("language", "sentence"), [("en", "run the cell to use them"), ("fr", "relancez la cellule")])
def test_an_explorer_is_live_and_leaves_one_picture(monkeypatch, language, sentence):
    monkeypatch.setenv("DALLE_EDU_LANGUAGE", language)
    output = shown(explorer())
    assert output["data"][VIEW]["model_id"]
    assert output["data"]["text/html"].count("<img") == 1
    assert 'alt="a picture of 3"' in output["data"]["text/html"]
    assert sentence in output["data"]["text/html"]
    assert "VBox" not in output["data"]["text/plain"]


def test_a_page_of_the_book_has_every_picture(monkeypatch):
    monkeypatch.setenv("DALLE_EDU_STATIC", "1")
    output = shown(explorer())
    assert VIEW not in output["data"]
    assert output["data"]["text/html"].count("data:image/png") == 10


@pytest.mark.parametrize("hooked", [True, False])
def test_what_is_exported_without_a_kernel_is_the_picture(hooked):
    """With Jupyter's hook, and without it, as VS Code saves."""
    saved = notebook(shown(explorer()))
    if hooked:
        saving.keep_static_form({"type": "notebook", "content": saved}, path="x.ipynb", contents_manager=None)
        assert VIEW not in json.dumps(saved)
    html, _ = HTMLExporter().from_notebook_node(saved)
    assert "a picture of 3" in html
    assert "model_id" not in html
    assert "VBox(" not in html


def test_the_hook_is_set_on_the_contents_manager_that_serves_in_the_end():
    hooks, later = [], []
    server = SimpleNamespace(io_loop=SimpleNamespace(add_callback=later.append), contents_manager=None)
    saving._load_jupyter_server_extension(server)
    server.contents_manager = SimpleNamespace(register_pre_save_hook=hooks.append)  # jupytext's, say
    later[0]()
    assert hooks == [saving.keep_static_form]
    assert saving._jupyter_server_extension_points() == [{"module": saving.__name__}]


def test_the_hook_leaves_other_outputs_and_files_alone():
    foreign = notebook({"data": {VIEW: {"model_id": "x"}, "text/html": "<p>"}, "metadata": {}})
    before = json.dumps(foreign)
    saving.keep_static_form({"type": "notebook", "content": foreign})
    saving.keep_static_form({"type": "file", "content": "text"})
    saving.keep_static_form({"type": "notebook", "content": None})
    assert json.dumps(foreign) == before
    assert KEPT not in before


def test_forms_leave_what_they_show(monkeypatch):
    """The prompt studio and the ranking desk, with forms of one part."""
    from ipywidgets import HTML, VBox

    for kind, children in ((Studio, [VBox(), HTML("<p>drawn</p>")]), (RankingDesk, [HTML("<p>drawn</p>"), VBox()])):
        form = kind.__new__(kind)
        monkeypatch.setattr(kind, "widget", lambda self, children=children: VBox(children))
        monkeypatch.setattr(kind, "__repr__", lambda self: "a form")
        output = shown(form)
        assert "<p>drawn</p>" in output["data"]["text/html"]
        assert output["data"]["text/plain"] == "a form"


def test_widgets_are_shown_by_what_every_version_of_ipywidgets_has(monkeypatch):
    """ipywidgets 7, which Colab keeps, describes its widgets by no `_repr_mimebundle_`."""
    from ipywidgets import Widget

    monkeypatch.delattr(Widget, "_repr_mimebundle_", raising=False)
    output = shown(explorer())
    view = output["data"][VIEW]
    assert (view["version_major"], view["version_minor"]) == (2, 0)
    assert len(view["model_id"]) == 32
    assert "a picture of 3" in output["data"]["text/html"]
