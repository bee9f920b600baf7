"""Rankings: questionnaires that people, critics and the examiner answer, and how far they agree."""
