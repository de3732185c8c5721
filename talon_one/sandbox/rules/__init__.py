"""The rule engine: rulesets are compiled once, and evaluated without I/O.

`compile_ruleset` turns a ruleset into closures, `evaluate` runs the campaigns of a `Situation`
and returns an `Evaluation`: the effects for the shop, and their consequences for the state.
"""
