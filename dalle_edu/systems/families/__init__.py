"""What systems share: those that write codes one after the other, and those that
diffuse small pictures and enlarge them.
"""
