"""Rankings: questionnaires that people, critics and the examiner answer, and the agreement of their answers."""
