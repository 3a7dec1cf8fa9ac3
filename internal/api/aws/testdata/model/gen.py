#!/usr/bin/env python3
"""Writes iam.json, sts.json and cloudtrail.json: what the vendor's service
models say about each operation, as facts alone, for the tests of the AWS door.

Run it here, with a botocore that has the models (1.43.11 made these files):

    python3 gen.py

Each file is one JSON object: service, version, protocol, namespace or target
prefix, and operations by name, one line each:

    in      input members by name: {type, required, min, max, pattern, enum, ...}
    out     output members by name: {type, ...} without constraints
    errors  [{code, status}] that the model declares
    page    {in, out, more, limit, result}: the paginator's members
    unsigned  true if the operation takes no signature

A list has "member", a map "key" and "value", a structure "members"; a structure
inside itself is {"type": "structure", "again": NAME}. Members and operations are
sorted by name, so the files change only with the models.
"""
import gzip
import json
import os

import botocore

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = {"iam": "2010-05-08", "sts": "2011-06-15", "cloudtrail": "2013-11-01"}
CONSTRAINTS = ("min", "max", "pattern", "enum")


def read(service, version, name):
    base = os.path.join(botocore.__path__[0], "data", service, version, name + ".json")
    if os.path.exists(base):
        with open(base, encoding="utf-8") as f:
            return json.load(f)
    with gzip.open(base + ".gz", "rt", encoding="utf-8") as f:
        return json.load(f)


def members(model, name, constraints, above=()):
    shape = model["shapes"][name]
    required = shape.get("required", []) if constraints else []
    out = {}
    for member, ref in sorted(shape.get("members", {}).items()):
        out[member] = describe(model, ref["shape"], constraints, above + (name,))
        if member in required:
            out[member]["required"] = True
    return out


def describe(model, name, constraints, above):
    shape = model["shapes"][name]
    out = {"type": shape["type"]}
    if constraints:
        out.update({k: shape[k] for k in CONSTRAINTS if k in shape})
    if shape["type"] == "structure":
        if name in above:
            out["again"] = name
        else:
            out["members"] = members(model, name, constraints, above)
    elif shape["type"] == "list":
        out["member"] = describe(model, shape["member"]["shape"], constraints, above)
    elif shape["type"] == "map":
        for part in ("key", "value"):
            out[part] = describe(model, shape[part]["shape"], constraints, above)
    return out


def error(model, name):
    e = model["shapes"][name].get("error", {})
    return {"code": e.get("code", name), "status": e.get("httpStatusCode", 400)}


def page(p):
    keys = {"in": "input_token", "out": "output_token", "more": "more_results",
            "limit": "limit_key", "result": "result_key"}
    return {k: p[v] for k, v in keys.items() if v in p}


def operation(model, pages, name):
    op = model["operations"][name]
    out = {"in": {}, "out": {}}
    if "input" in op:
        out["in"] = members(model, op["input"]["shape"], True)
    if "output" in op:
        out["out"] = members(model, op["output"]["shape"], False)
    errors = [error(model, e["shape"]) for e in op.get("errors", [])]
    if errors:
        out["errors"] = sorted(errors, key=lambda e: e["code"])
    if name in pages:
        out["page"] = page(pages[name])
    if op.get("authtype") == "none" or op.get("auth") == ["smithy.api#noAuth"]:
        out["unsigned"] = True
    return out


def main():
    for service, version in MODELS.items():
        model = read(service, version, "service-2")
        pages = read(service, version, "paginators-1")["pagination"]
        meta = model["metadata"]
        head = {"service": service, "version": version, "protocol": meta["protocol"]}
        for key, name in (("xmlNamespace", "namespace"), ("targetPrefix", "target")):
            if key in meta:
                head[name] = meta[key]
        lines = [json.dumps(k) + ":" + json.dumps(v) for k, v in head.items()]
        ops = [json.dumps(n) + ":" + json.dumps(operation(model, pages, n), separators=(",", ":"), ensure_ascii=True)
               for n in sorted(model["operations"])]
        with open(os.path.join(HERE, service + ".json"), "w", encoding="utf-8") as f:
            f.write("{" + ",\n".join(lines) + ',\n"operations":{\n' + ",\n".join(ops) + "\n}}\n")


if __name__ == "__main__":
    main()
