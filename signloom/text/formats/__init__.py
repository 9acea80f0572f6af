"""One file per subtitle format, over what they share: source.py, times.py, parsed.py, markup.py."""
