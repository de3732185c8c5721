"""The rule engine alone: rulesets in, values and effects out."""
