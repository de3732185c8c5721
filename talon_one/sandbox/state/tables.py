"""The kinds of entities, and the tables beside them."""

from __future__ import annotations

from typing import Final

from talon_one.sandbox.state.documents import Table

VERSION: Final = 6
"""Version of the tables; a file of another version is refused."""

DEFINITIONS: Final = (
    Table("applications", ("name",), definition=True),
    Table("campaigns", ("applicationId", "name"), definition=True),
    Table("campaign_groups", definition=True),
    Table("rulesets", ("campaignId",), definition=True),
    Table("attributes", ("entity", "name"), definition=True),
    Table("additional_costs", ("name",), (("name",),), definition=True),
    Table("audiences", ("name", "integration", "integrationId"), definition=True),
    Table("collections", ("applicationId", "campaignId", "name"), definition=True),
    Table("value_maps", ("campaignId",), definition=True),
    Table("loyalty_programs", ("name",), definition=True),
    Table("achievements", ("applicationId", "campaignId", "name"), definition=True),
    Table("giveaway_pools", ("name",), definition=True),
    Table("catalogs", ("name",), definition=True),
    Table(
        "stores", ("applicationId", "integrationId"), (("applicationId", "integrationId"),), True
    ),
    Table("webhooks", ("title",), definition=True),
    Table("custom_effects", ("name",), definition=True),
    Table("item_filters", ("applicationId", "name"), definition=True),
)

PRODUCED: Final = (
    Table("profiles", ("integrationId",), (("integrationId",),)),
    Table(
        "sessions",
        ("applicationId", "integrationId", "profileId"),
        (("applicationId", "integrationId"),),
    ),
    Table("returns", ("sessionId",)),
    Table("events", ("profileId", "integrationId", "sessionId")),
    Table(
        "coupons",
        (
            "_applicationId",
            "value",
            "campaignId",
            "recipientIntegrationId",
            "batchId",
            "implicitlyReserved",
        ),
        (("_applicationId", "value"),),
    ),
    Table(
        "referrals",
        ("_applicationId", "code", "campaignId", "advocateProfileIntegrationId"),
        (("_applicationId", "code"),),
    ),
    Table("reservations", ("couponId", "profileId"), (("couponId", "profileId"),)),
    Table("memberships", ("audienceId", "profileId"), (("audienceId", "profileId"),)),
    Table("collection_items", ("collectionId", "item"), (("collectionId", "item"),)),
    Table("giveaways", ("poolId", "profileIntegrationId", "used")),
    Table("catalog_items", ("catalogid", "sku"), (("catalogid", "sku"),)),
    Table("cards", ("programID", "identifier"), (("programID", "identifier"),)),
    Table("points", ("_holder", "programId", "transactionUUID", "customerSessionId")),
    Table("loyalty_members", ("programId", "profileId"), (("programId", "profileId"),)),
    Table("tiers", ("_holder", "programId")),
    Table("progress", ("achievementId", "profileId")),
    Table("allowed_values", ("attributeId", "item"), (("attributeId", "item"),)),
    Table("changes", ()),
    Table("deleted_coupons", ("_applicationId",)),
    Table("exports", ()),
    Table("imports", ()),
    Table("jobs", ()),
    Table("messages", ("webhookId", "status")),
    Table("prices", ("sku",)),
)

TABLES: Final = (*DEFINITIONS, *PRODUCED)

OTHERS: Final = (
    """
    CREATE TABLE keys (
        kind TEXT NOT NULL, digest TEXT NOT NULL, application_id INTEGER,
        document TEXT NOT NULL, PRIMARY KEY (kind, digest)
    )
    """,
    """
    CREATE TABLE journal (
        id INTEGER PRIMARY KEY AUTOINCREMENT, created TEXT NOT NULL, session_id INTEGER,
        event_id INTEGER, profile_id TEXT, campaign_id INTEGER NOT NULL, kind TEXT NOT NULL,
        target TEXT NOT NULL, amount TEXT NOT NULL, counters TEXT NOT NULL, effect TEXT,
        details TEXT NOT NULL, position INTEGER, sub_position INTEGER,
        reversible INTEGER NOT NULL, reversed TEXT
    )
    """,
    "CREATE INDEX journal_by_session ON journal (session_id)",
    "CREATE INDEX journal_by_profile ON journal (profile_id, kind)",
    "CREATE INDEX journal_by_target ON journal (kind, target)",
    "CREATE TABLE counters (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """
    CREATE TABLE responses (
        credential TEXT NOT NULL, request TEXT NOT NULL, key TEXT NOT NULL,
        fingerprint TEXT NOT NULL, created TEXT NOT NULL, status INTEGER NOT NULL,
        body BLOB NOT NULL, PRIMARY KEY (credential, request, key)
    )
    """,
    "CREATE INDEX responses_by_age ON responses (created)",
    "CREATE TABLE evaluations (session_id INTEGER PRIMARY KEY, record TEXT NOT NULL)",
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)
