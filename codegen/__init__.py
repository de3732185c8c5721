"""The generator: writes every generated file of the project from ``spec/``; not shipped."""

__version__ = "1.0.0"
