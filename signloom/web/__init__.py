"""Pages: what a person opens in a browser. A page asks nothing of the network."""
