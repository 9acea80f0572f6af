"""Video in, clip out: decoding and MediaPipe Holistic, in limited child processes."""
