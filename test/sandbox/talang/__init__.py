"""Behaviour of Talang, the rule language: tables of cases, laws and attacks."""
