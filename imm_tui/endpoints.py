"""What Alibaba Cloud's endpoints look like: made of a region and an account, and read again; and where IMM is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

REGIONS = (
    *("cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-shenzhen", "cn-zhangjiakou", "cn-qingdao", "cn-wulanchabu"),
    *("cn-guangzhou", "cn-chengdu", "cn-hongkong", "ap-southeast-1", "ap-southeast-5", "eu-central-1", "eu-west-1"),
    *("us-east-1", "us-west-1"),
)
"""Where IMM is (its documentation, January 2026); 2017-09-06 is in the first five only."""


def mns(account_id: str, region: str) -> str:
    """Empty where either is not known."""
    return f"https://{account_id}.mns.{region}.aliyuncs.com" if account_id and region else ""


def imm(region: str) -> str:
    return f"https://imm.{region}.aliyuncs.com"


def sts(region: str) -> str:
    return f"https://sts.{region}.aliyuncs.com"


def is_alibabas(endpoint: str) -> bool:
    return endpoint.endswith(".aliyuncs.com")


@dataclass(frozen=True, slots=True)
class Place:
    """What an endpoint's own name says of it; empty where it does not."""

    host: str
    region: str = ""
    account_id: str = ""


_IMM_HOST = re.compile(r"imm(?:-vpc)?\.(?P<region>[a-z0-9-]+)\.aliyuncs\.com")
_MNS_HOST = re.compile(r"(?P<account>\d+)\.mns\.(?P<region>[a-z0-9-]+?)(?:-internal)?(?:-vpc)?\.aliyuncs\.com")


def place_of(endpoint: str) -> Place:
    """Alibaba Cloud's own endpoints are named for the region, those of MNS for the account as well."""
    host = urlsplit(endpoint).hostname or ""
    if found := _MNS_HOST.fullmatch(host):
        return Place(host, found["region"], found["account"])
    if found := _IMM_HOST.fullmatch(host):
        return Place(host, found["region"])
    return Place(urlsplit(endpoint).netloc)
