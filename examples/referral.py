"""A referral: one customer gets a code, a friend orders with it.

Run it with `python examples/referral.py`. It talks to the deployment that TALON_ONE_HOST and the
other variables name, or else to a sandbox that it starts itself. The Management API looks up the
campaign, the Integration API does the rest; one client with both keys serves the two.
"""

from uuid import uuid4

import talon_one
from talon_one.cli.deployment import deployment


def refer(api: talon_one.IntegrationApi, campaign_id: int) -> None:
    """Let one customer refer another."""
    advocate, friend = f"advocate-{uuid4()}", f"friend-{uuid4()}"
    referral = api.create_referral(
        talon_one.NewReferral(
            campaign_id=campaign_id, advocate_profile_integration_id=advocate, usage_limit=1
        )
    )
    print(f"code for the advocate: {referral.code}")

    for role, profile_id in (("advocate", advocate), ("friend", friend)):
        order = talon_one.NewCustomerSessionV2(
            profile_id=profile_id,
            state="closed",
            referral_code=referral.code,
            cart_items=[talon_one.CartItem(name="Kettle", sku="kettle", quantity=1, price=44.0)],
        )
        response = api.update_customer_session_v2(
            f"order-{uuid4()}", talon_one.IntegrationRequest(customer_session=order)
        )
        for effect in response.effects:
            print(f"{role}: {effect.effect_type} {dict(effect.props)}")

    inventory = api.get_customer_inventory(advocate, referrals=True)
    for owned in inventory.referrals or []:
        by_friend = owned.referred_customers == [friend]
        print(f"redeemed: {owned.usage_counter}, by the friend alone: {by_friend}")


if __name__ == "__main__":
    with deployment() as configuration, talon_one.ApiClient(configuration) as client:
        if configuration.application_id is None:
            raise SystemExit("set TALON_ONE_APPLICATION_ID to the Application of the API key")
        running = talon_one.ManagementApi(client).get_campaigns(
            int(configuration.application_id), campaign_state="running"
        )
        for campaign in running.data:
            if "referrals" in campaign.features:
                refer(talon_one.IntegrationApi(client), campaign.id)
                break
        else:
            raise SystemExit("no running campaign of the Application has referrals")
