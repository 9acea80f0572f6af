"""The papers' claims as code: what is claimed, the arms that decide it, what came out, the page."""
