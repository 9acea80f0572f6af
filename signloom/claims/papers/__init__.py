"""The five papers' claims, one file each: what arms start from, arms, claims, our questions.

Every file has ``PAPER``, ``SETTINGS`` (method → scale → what arms start from), ``ARMS``, ``CLAIMS``
and ``QUESTIONS`` (ours, decided the same way); `claims.catalogue` gathers them.
"""

SENTENCES = "runs/claims/stores/sim-sentences-small"
"""The store of sentences that the arms of more than one paper train and are tested on."""
EPISODES = "runs/claims/episodes"
"""Folders train, dev and test of simulated episodes."""
CUT = "runs/claims/stores/episodes"
"""Stores CUT-TIMES of the sentences of these episodes, cut out by some times (`claims.stores`)."""
LABELLED = "runs/claims/labelled"
"""Folders train and dev of the same episodes, whose cues are signed where the program put them."""
FEATURES = "runs/claims/features"
"""What the unified model's backbone, standing still, makes of these: ``sentences``, the episodes'
``train``, ``dev`` and ``test``, and ``cut-TIMES`` (``signloom features``)."""
UNIFIED = "recipes/claims/unified-tiny.yaml"
"""Reads FEATURES."""
WHOLE = "recipes/claims/unified-whole-tiny.yaml"
"""The same model with its backbone."""
OTHER = "runs/claims/stores/sim-2-sentences"
"""The store of sentences in a second simulated language (`claims.gloss_stores`)."""
CROSSED = "runs/claims/stores/sim-crossed"
"""A store of training sentences by the test's signers, and the other way round (`claims.gloss_stores`)."""
MOTION = "runs/claims/stores/sim-sentences-small-3d"
"""The same sentences as joints in space."""
CODES = "runs/claims/stores/sim-sentences-small-codes"
"""MOTION as codes of the tokenizer of LSLM's claims; with -picture behind it, of one of pictures."""
WORDS_IN_SPACE = "runs/claims/stores/sim-words-small-3d"
"""Single words as joints in space."""
