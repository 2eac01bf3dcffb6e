"""One module a subject, one function a command."""
