"""`python -m torrent_proxy_client` is `torrent-proxy`."""

import sys

from torrent_proxy_client.cli import main

sys.exit(main())
