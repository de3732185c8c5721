"""Names of the vendor's module ``rest``: its REST client, its response, and its exception."""

from typing import TypeAlias

import urllib3

from talon_one._vendor.rest import RESTClientObject, RESTResponse
from talon_one.exceptions import ApiException

UnreadResponse: TypeAlias = urllib3.BaseHTTPResponse
"""What the ``..._without_preload_content`` methods return."""

Retry: TypeAlias = urllib3.Retry
"""What `Configuration.retries` takes as well, as the vendor's packages do."""

__all__ = ["ApiException", "RESTClientObject", "RESTResponse", "Retry", "UnreadResponse"]
