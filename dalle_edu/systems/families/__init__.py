"""Families of systems: what those that sample codes one after the other share, and
what those share that draw small pictures by diffusion and enlarge them.
"""
