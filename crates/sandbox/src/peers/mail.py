"""A mail server made of aiosmtpd: it takes, refuses or puts off what comes, and keeps what it took.

mail.py '{"tls": "none|starttls|tls", "certificate": [file, file], "login": [user, password], "refused": [address],
          "later": 2, "silent": true}'

`later` puts the first so many letters off with 451, as greylisting does. `silent` takes a letter and says nothing any more. It listens
on a free port of loopback, prints it as `port 12345`, and each letter as a line of JSON behind `letter `.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

wanted = json.loads(sys.argv[1])
login = wanted.get("login")


class Handler:
    later = wanted.get("later", 0)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in wanted.get("refused", []):
            return "550 5.1.1 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if Handler.later > 0:
            Handler.later -= 1
            return "451 4.7.1 greylisted, come again"
        letter = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode("utf-8", "replace"),
            "safe": session.ssl is not None or wanted["tls"] == "tls",
            "login": bool(session.authenticated),
        }
        print("letter", json.dumps(letter), flush=True)
        if wanted.get("silent"):
            await asyncio.sleep(3600)
        return "250 taken"


def known(server, session, envelope, mechanism, data):
    if isinstance(data, LoginPassword) and [data.login.decode(), data.password.decode()] == login:
        return AuthResult(success=True)
    return AuthResult(success=False, handled=False)


context = None
if wanted["tls"] != "none":
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*wanted["certificate"])


def connection():
    return SMTP(
        Handler(),
        hostname="mail.test",
        tls_context=context if wanted["tls"] == "starttls" else None,
        authenticator=known if login else None,
        auth_required=login is not None,
        # Names and passwords over a plain line are wrong anywhere but on loopback.
        auth_require_tls=wanted["tls"] == "starttls",
    )


async def main():
    at_once = context if wanted["tls"] == "tls" else None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, "127.0.0.1", 0, ssl=at_once)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
