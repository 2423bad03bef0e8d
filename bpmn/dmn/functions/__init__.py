"""The built-in functions of FEEL, one module a subject. `library` finds them by name."""
