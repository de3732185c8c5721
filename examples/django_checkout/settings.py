"""Settings of the shop, as far as the checkout needs them."""

import os

SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "views"
# Arguments of talon_one.Configuration. Django hides what has KEY in its name from error pages.
TALON_ONE = {
    "host": os.environ["TALON_ONE_HOST"],
    "api_key": {"api_key_v1": os.environ["TALON_ONE_API_KEY"]},
    "deadline": 0.3,  # Seconds that a customer waits for discounts at most.
    "calls_per_id": 1,  # Two tabs of one customer queue here, and are no 409 there.
}
