"""What the page can ask for: one file a task, ``run(arguments, emit)``."""
