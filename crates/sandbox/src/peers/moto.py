"""moto's server (https://docs.getmoto.org/en/latest/docs/server_mode.html) on a free port of loopback, which it prints as
`port 12345`, behind the network that every account has, as `network SUBNET VPC GROUP`.
"""

import logging
import sys

from moto.ec2.models import ec2_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

account, region = sys.argv[1:]
ec2 = ec2_backends[account][region]
subnet = ec2.get_default_subnets()[f"{region}a"]
group = ec2.get_default_security_group(subnet.vpc_id)
print("network", subnet.id, subnet.vpc_id, group.id)

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print("port", server.port, flush=True)
server.serve_forever()
