#!/usr/bin/env python3
"""Writes requests.jsonl: requests signed by botocore, for the verifier to accept.

    python3 gen.py      (made with botocore 1.43.11)

Half are signed in the header, half in the query; half for S3, whose path is
taken as it stands. The path, query and header values are chosen to be awkward.
"""
import datetime
import hashlib
import json
import os
import random
from unittest import mock
from urllib.parse import quote, urlsplit

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2026, 1, 1, 0, 0, 0)
HERE = os.path.dirname(os.path.abspath(__file__))
random.seed(1)


def text(alphabet, low, high):
    return "".join(random.choice(alphabet) for _ in range(random.randint(low, high)))


def path(s3):
    parts = [quote(text("ab ~+%=&:@!$'()*,;-é世", 1, 6), safe="~") for _ in range(random.randint(0, 4))]
    if random.random() < 0.5:
        parts.insert(random.randint(0, len(parts)), random.choice(["", ".", ".."]))
    return "/" + "/".join(parts)


def sign(s3, in_query):
    service = "s3" if s3 else "svc"
    token = random.choice([None, "FwoG//ZX=="])
    creds = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    method = random.choice(["GET", "POST", "PUT"])
    if in_query:
        method = "GET"  # botocore would move a body into the query
    body = b"" if method == "GET" else text("ab=&é", 0, 20).encode()
    params = [(text("Abz.0 é-", 1, 4), text("ab +&=/%é~*", 0, 6)) for _ in range(random.randint(0, 4))]
    query = "&".join(quote(k, safe="~") + "=" + quote(v, safe="~") for k, v in params)
    url = "http://localhost:7420" + path(s3) + ("?" + query if query else "")
    headers = {"X-Amz-Meta-A": text("ab  c", 0, 12), "User-Agent": "x"}
    if not in_query:
        headers["Content-Type"] = "text/plain;  charset=utf-8"
    request = AWSRequest(method=method, url=url, headers=headers, data=body)
    names = (auth.S3SigV4QueryAuth if s3 else auth.SigV4QueryAuth) if in_query else (auth.S3SigV4Auth if s3 else auth.SigV4Auth)
    kw = {"expires": 60} if in_query else {}
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW):
        names(creds, service, "eu-west-1", **kw).add_auth(request)
    u = urlsplit(request.url)
    return {"method": method, "host": u.netloc, "path": u.path, "query": u.query, "s3": s3, "service": service,
            "header": {k: v for k, v in request.headers.items()}, "body": hashlib.sha256(body).hexdigest()}


with open(os.path.join(HERE, "requests.jsonl"), "w", encoding="utf-8") as out:
    for i in range(200):
        out.write(json.dumps(sign(i % 2 == 0, i % 4 < 2), ensure_ascii=True) + "\n")
