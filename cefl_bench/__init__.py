"""A benchmark toolkit for video-based facial expression recognition."""

__version__ = "0.1.0"
