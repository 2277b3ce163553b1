"""What texts and words mean: errors between them, lexicons, n-grams, grammars, entities, intents.

This room knows no sound and no network; it runs wherever Python does.
"""
