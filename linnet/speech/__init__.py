"""What is heard in arrays of sound and in a network's answers to them: words, phones, activity, speakers, prosody.

Arrays in, answers out. This room knows no network, no file and no task; texts and words are `language`'s.
"""
