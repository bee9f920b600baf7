"""What every system is: how it is described, trained, saved, loaded and asked to
draw.
"""
