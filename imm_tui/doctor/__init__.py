"""The doctor: finds out whether everything that a conversion needs really works, and says what to do where it does not.

It asks the services side by side (asking), keeps each answer as it came (evidence), and judges as soon as enough is
known (verdicts). It changes nothing and consumes nothing. Of what one wrong setting brings about it names the setting:
whatever cannot be known because of it is skipped.
"""
