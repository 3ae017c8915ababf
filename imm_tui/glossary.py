"""What a code of IMM, MNS or OSS means, its likely cause and its cure, for whoever has to do something about it.

The codes are those that the services document, and those that the emulator answers with; an unknown one is explained by
what it begins with, `InvalidProject.NotFound` by `InvalidProject` if need be, and `MissingTargetType` by `Missing*`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from imm_tui.i18n import N_, _


@dataclass(frozen=True, slots=True)
class Entry:
    """What there is to be said of a code; without a cause and a cure where there is nothing to do."""

    code: str
    meaning: str
    cause: str
    cure: str


_DOCUMENT = {
    "NoError": (N_("The task ended as it should."), "", ""),
    "FailedToDownloadSrcFile": (
        N_("IMM could not read the source from OSS."),
        N_("No object has this name, or the project's service role may not read the bucket."),
        N_(
            "Look for the object in the OSS console, with the case of its letters. "
            "Then check in the RAM console that the project's service role has oss:GetObject on it."
        ),
    ),
    "UnsupportedSrcFile": (
        N_("IMM does not convert a document of this kind, or not to this target type."),
        N_(
            "The name's extension is missing, wrong or none of Word, Excel, PowerPoint and PDF. "
            "Text is not made of every kind of document."
        ),
        N_("Give the true extension as SourceType (SrcType in 2017-09-06), or choose another target type."),
    ),
    "OpenFileError": (
        N_("The source was read from OSS, but the document cannot be opened."),
        N_("It needs a password, it is damaged, or it is of another kind than its extension says."),
        N_("Open it in an office program. If that asks for a password, submit it with Password; else save it anew."),
    ),
    "InvalidPassword": (
        N_("The password does not open the document."),
        N_("It is misspelt, or it is the one for editing."),
        N_("Submit it again with Password, the one that an office program asks for when it opens the document."),
    ),
    "ConvertTimeout": (
        N_("The conversion took longer than IMM allows, some minutes."),
        N_("The document has very many pages, large sheets or heavy pictures."),
        N_("Submit it again in parts with Pages, or StartPage and EndPage; for sheets, limit rows and columns."),
    ),
    "WriteTgtUriFailed": (
        N_("The document was converted, but the results could not be written to OSS."),
        N_("The target's bucket is missing or in another region, or the service role may not write to it."),
        N_("Check the bucket in the target URI, and that the project's service role has oss:PutObject on it."),
    ),
    "InvokeOSSFailed": (
        N_("A call of IMM to OSS failed."),
        N_("The bucket is in another region or account than the project, its policy forbids it, or OSS had a fault."),
        N_("Resubmit it. If it fails again, compare the regions of bucket and project, and read the bucket policy."),
    ),
    "NoSuchKey": (
        N_("OSS has no object of this name."),
        N_("The source URI is misspelt, or the object has been deleted or not been uploaded yet."),
        N_("Copy the object's URI from the OSS console; upper and lower case differ."),
    ),
    "NoSuchBucket": (
        N_("OSS has no bucket of this name."),
        N_("The bucket's name in a source or target URI is misspelt, or the bucket has been deleted."),
        N_("Compare the part after oss:// with the list of buckets in the OSS console."),
    ),
    "InvalidObjectName": (
        N_("OSS does not allow such an object name."),
        N_("It is empty, longer than 1,023 bytes, or begins with a slash or a backslash."),
        N_("Write the URI as oss://bucket/folder/name, with one slash after the bucket."),
    ),
    "InvalidBucketName": (
        N_("OSS does not allow such a bucket name."),
        N_("The URI is an https address or has the endpoint in it, where only the bucket's name belongs."),
        N_("Write the URI as oss://bucket/folder/name."),
    ),
    "InvalidObjectState": (
        N_("The object is archived and cannot be read at once."),
        N_("Its storage class is Archive or Cold Archive."),
        N_("Restore the object in the OSS console, wait until that is done, and resubmit the task."),
    ),
    "EntityTooLarge": (
        N_("The document is too large."),
        N_("IMM converts documents of up to 200 MB."),
        N_("Divide the document, or make its pictures smaller."),
    ),
}

_CALL = {
    "AccessDenied": (
        N_("The service knows who calls, but does not allow it."),
        N_(
            "The access key's owner lacks a permission on this project, queue or bucket, "
            "or the project's service role does."
        ),
        N_(
            "Grant it in the RAM console: the user AliyunIMMFullAccess or imm:CreateOfficeConversionTask, "
            "mns:ReceiveMessage and mns:DeleteMessage; the service role oss:GetObject and oss:PutObject."
        ),
    ),
    "Forbidden": (
        N_("The call is forbidden."),
        N_("The access key's owner lacks the permission, or a policy denies it."),
        N_("Open the user in the RAM console, under Permissions; AliyunIMMFullAccess holds all that IMM needs."),
    ),
    "Forbidden.RAM": (
        N_("The RAM user or role has no permission for this call."),
        N_("No policy that is attached to it allows the action on this resource."),
        N_("Attach AliyunIMMFullAccess to it in the RAM console, or a policy that allows the action in the message."),
    ),
    "NoPermission": (
        N_("The RAM user or role has no permission for this call."),
        N_("It lacks an action of IMM, or ram:PassRole where a project is made."),
        N_("Attach a policy with the action that the message names, in the RAM console."),
    ),
    "InvalidAccessKeyId": (
        N_("The service does not know the access key."),
        N_("The id is misspelt, or the key has been deleted or belongs to another site of Alibaba Cloud."),
        N_("Compare ALIBABA_CLOUD_ACCESS_KEY_ID with the user's AccessKey page in the RAM console."),
    ),
    "InvalidAccessKeyId.Inactive": (
        N_("The access key is disabled."),
        N_("Somebody has disabled it in the RAM console, or Alibaba Cloud has because it was leaked."),
        N_("Enable it on the user's AccessKey page, or better create another one and use that."),
    ),
    "InvalidAccessKeySecret": (
        N_("The signature was made with a wrong secret."),
        N_("The access key's secret is misspelt, or belongs to another id."),
        N_("Check ALIBABA_CLOUD_ACCESS_KEY_SECRET for a missing or an extra character, such as a blank at its end."),
    ),
    "SignatureDoesNotMatch": (
        N_("The service computes another signature than it was sent."),
        N_("The secret does not belong to the access key's id, or a proxy changes requests on their way."),
        N_("Check ALIBABA_CLOUD_ACCESS_KEY_SECRET; if it is right, try without the proxy (NO_PROXY)."),
    ),
    "IncompleteSignature": (
        N_("A part of the signature is missing."),
        N_("A proxy or a gateway drops headers or parameters of the request."),
        N_("Call the endpoint without it (NO_PROXY), or have it leave requests as they are."),
    ),
    "SignatureNonceUsed": (
        N_("The same request arrived twice."),
        N_("A proxy repeated it, or two programs draw the same random numbers."),
        N_("Try again; each attempt has a number of its own. If it stays, go round the proxy."),
    ),
    "InvalidSecurityToken": (
        N_("The service does not accept the security token."),
        N_("The token has expired, or was issued with another access key."),
        N_("Get new temporary credentials, and set all three of them: id, secret and token."),
    ),
    "InvalidSecurityToken.Expired": (
        N_("The security token has expired."),
        N_("Temporary credentials are good for some hours."),
        N_("Get new ones, by assuming the role again or with aliyun configure, and start imm-tui with them."),
    ),
    "SecurityTokenExpired": (
        N_("The security token has expired."),
        N_("Temporary credentials are good for some hours."),
        N_("Get new ones, by assuming the role again or with aliyun configure, and start imm-tui with them."),
    ),
    "MissingSecurityToken": (
        N_("The access key is a temporary one, and its token is missing."),
        N_("An id that begins with STS. was set without ALIBABA_CLOUD_SECURITY_TOKEN."),
        N_("Set the token as well, or use an access key that lasts."),
    ),
    "TimeExpired": (
        N_("The request's date is too far from the service's."),
        N_("This machine's clock is more than 15 minutes off."),
        N_("Set the clock, best by NTP; the time zone is no matter."),
    ),
    "InvalidTimeStamp": (
        N_("The request's time is not accepted."),
        N_("This machine's clock is more than 15 minutes off, or something on the way holds requests back."),
        N_("Set the clock, best by NTP; the time zone is no matter."),
    ),
    "RequestTimeTooSkewed": (
        N_("The request's date is too far from that of OSS."),
        N_("The clock of whoever signed the request is more than 15 minutes off."),
        N_("Set the clock, best by NTP; where IMM itself says so of a task, resubmit that."),
    ),
    "Throttling": (
        N_("The service is called too often."),
        N_("The account's limit for this operation is reached, by all programs of the account together."),
        N_("Wait a moment and resubmit. A higher limit is asked for in a ticket."),
    ),
    "Throttling.User": (
        N_("This user calls too often."),
        N_("IMM takes some 50 submissions a second from a user, and other programs may use the same key."),
        N_("Wait a moment and resubmit, or give the other program an access key of its own."),
    ),
    "Throttling.Api": (
        N_("This operation is called too often."),
        N_("Its own limit is reached, by all who use it in this account."),
        N_("Wait a moment and resubmit; submit large batches one after the other."),
    ),
    "QpsLimitExceeded": (
        N_("The queue is called too often."),
        N_("A queue answers some 3,000 calls a second; many consumers or long polls share it."),
        N_("End the other consumers, or give each one a queue of its own that is subscribed to the topic."),
    ),
    "LimitExceededError": (
        N_("A limit of IMM is exceeded."),
        N_("A value is too large, or there are too many projects or tasks at a time."),
        N_("The message names the limit. Delete what is not used in the IMM console, or ask for more in a ticket."),
    ),
    "InternalError": (
        N_("The service has a fault of its own."),
        N_("It is most often over within seconds."),
        N_("Resubmit it. If it stays, write a ticket that quotes the RequestId."),
    ),
    "ServiceUnavailable": (
        N_("The service cannot answer at the moment."),
        N_("It is overloaded or being maintained."),
        N_("Wait a minute and resubmit; the status page of Alibaba Cloud tells of longer outages."),
    ),
    "InvalidVersion": (
        N_("This endpoint does not have this API version."),
        N_("Not every region has both 2017-09-06 and 2020-09-30."),
        N_("Set api_version in the profile to the other one, and the project with it: versions do not share projects."),
    ),
    "InvalidAction": (
        N_("This API version does not have this operation."),
        N_("The operation belongs to the other API version, or the endpoint to another service."),
        N_("Check api_version and imm_endpoint in the profile."),
    ),
    "UnsupportedHTTPMethod": (
        N_("The endpoint does not take this kind of HTTP request."),
        N_("A proxy or a redirect has changed the request, or the endpoint is not IMM's."),
        N_("Check imm_endpoint in the profile, and try without the proxy (NO_PROXY)."),
    ),
    "InvalidJSON": (
        N_("A part of the request that has to be JSON is not."),
        N_("A value such as Tags, Notification or TrimPolicy was written by hand."),
        N_("Correct it in the form, and look at the result on the Request tab."),
    ),
    "InvalidArgument": (
        N_("A value in the request is not allowed."),
        N_("The message says which one, and often what would be."),
        N_("Compare it on the Request tab with the limits in the form, and submit again."),
    ),
    "InvalidParameter": (
        N_("A value in the request is not allowed."),
        N_("What follows in the code names the parameter, and often what is wrong with it."),
        N_("Compare it on the Request tab with the limits in the form, and submit again."),
    ),
    "InvalidProject": (
        N_("The project cannot be used."),
        N_("Its name is misspelt, or it is of another region or API version: versions do not share projects."),
        N_("Look for it in the IMM console under the profile's region, and check project and api_version."),
    ),
    "ResourceNotFound": (
        N_("IMM does not find something that the request names."),
        N_(
            "Most often the project: its name is misspelt, or it is of another region or API version. "
            "A task is forgotten after 7 days."
        ),
        N_("Look for the project in the IMM console under the profile's region, and check project and api_version."),
    ),
    "ProjectNotFound": (
        N_("IMM does not find the project."),
        N_("Its name is misspelt, or it is of another region or API version: versions do not share projects."),
        N_("Look for it in the IMM console under the profile's region, and check project and api_version."),
    ),
    "ResourceAlreadyExists": (
        N_("Something of this name is there already."),
        N_("A project or another resource was made before, perhaps by an attempt that seemed to fail."),
        N_("Use the one that is there, or choose another name."),
    ),
    "InvalidTaskId": (
        N_("IMM does not know the task."),
        N_("Task information is kept for 7 days, and belongs to one project, region and API version."),
        N_("Check that the profile is the one that submitted it. What is older than 7 days has to be submitted again."),
    ),
    "InvalidSourceURI": (
        N_("IMM does not accept the source URI."),
        N_("It is an https address, has no object's name, or its bucket is in another region."),
        N_("Write it as oss://bucket/folder/name.docx, with a bucket in the project's region."),
    ),
    "InvalidSrcUri": (
        N_("IMM does not accept the source URI."),
        N_("It is an https address, has no object's name, or its bucket is in another region."),
        N_("Write it as oss://bucket/folder/name.docx, with a bucket in the project's region."),
    ),
    "InvalidTargetType": (
        N_("IMM does not make this target type."),
        N_("2020-09-30 makes png, jpg, pdf and txt; 2017-09-06 says text for txt and has vector as well."),
        N_("Choose one of these in the form."),
    ),
    "InvalidNotification": (
        N_("IMM does not accept where it is to send its event."),
        N_("The topic's name is misspelt, or the topic is in another region or account."),
        N_("Compare topic in the profile with the list of topics in the MNS console, in the project's region."),
    ),
    "Missing*": (
        N_("A parameter is missing in the request."),
        N_("What follows Missing in the code is its name; the profile or the form leaves it empty."),
        N_("Fill it in there, and look at what is sent on the Request tab."),
    ),
    "Invalid*": (
        N_("IMM does not accept a parameter of the request."),
        N_("What follows Invalid in the code is its name."),
        N_("Compare it on the Request tab with the limits in the form, and submit again."),
    ),
}

_QUEUE = {
    "QueueNotExist": (
        N_("The queue does not exist."),
        N_("Its name is misspelt, or it is of another account or region, which are both part of mns_endpoint."),
        N_("Compare queue and mns_endpoint in the profile with the MNS console's list of queues, or create the queue."),
    ),
    "TopicNotExist": (
        N_("The topic does not exist."),
        N_("Its name is misspelt, or it is of another account or region than the project."),
        N_("Compare topic in the profile with the MNS console's list of topics, or create it."),
    ),
    "SubscriptionNotExist": (
        N_("The topic has no subscription of this name."),
        N_("Nobody has subscribed the queue to the topic, so that no event reaches it."),
        N_("Add a subscription with the queue as its endpoint, on the topic's page in the MNS console."),
    ),
    "SubscriberNotExist": (
        N_("The topic has no subscription of this name."),
        N_("Nobody has subscribed the queue to the topic, so that no event reaches it."),
        N_("Add a subscription with the queue as its endpoint, on the topic's page in the MNS console."),
    ),
    "MessageNotExist": (
        N_("The queue has no message for this caller."),
        N_("It is empty, or the message has been deleted or received by somebody else in the meantime."),
        N_("Nothing needs to be done, unless events are missed: then look for another consumer of the queue."),
    ),
    "ReceiptHandleError": (
        N_("The receipt handle is not good any more."),
        N_("The message was hidden for a shorter time than its handling took, and is delivered again."),
        N_("Nothing is lost. If it is frequent, raise the queue's visibility timeout in the MNS console."),
    ),
    "InvalidQueueName": (
        N_("MNS does not allow such a queue name."),
        N_("A name has letters, digits and hyphens only, and begins with a letter or a digit."),
        N_("Correct queue in the profile: only the name belongs there, without account, region or path."),
    ),
    "QueueNameLengthError": (
        N_("The queue's name is empty or too long."),
        N_("A name has 1 to 120 characters."),
        N_("Correct queue in the profile: only the name belongs there, without account, region or path."),
    ),
    "TopicNameInvalid": (
        N_("MNS does not allow such a topic name."),
        N_("A name has letters, digits and hyphens only, and begins with a letter."),
        N_("Correct topic in the profile: only the name belongs there, without account, region or path."),
    ),
    "TopicNameLengthError": (
        N_("The topic's name is empty or too long."),
        N_("A name has 1 to 120 characters."),
        N_("Correct topic in the profile: only the name belongs there, without account, region or path."),
    ),
    "SubscriptionNameInvalid": (
        N_("MNS does not allow such a subscription name."),
        N_("A name has letters, digits and hyphens only, and begins with a letter."),
        N_("Choose another name for it in the MNS console."),
    ),
    "SubscriptionNameLengthError": (
        N_("The subscription's name is empty or too long."),
        N_("A name has 1 to 120 characters."),
        N_("Choose another name for it in the MNS console."),
    ),
    "EndpointInvalid": (
        N_("The subscription's endpoint is not accepted."),
        N_("A queue is written acs:mns:REGION:ACCOUNT:queues/NAME, in the topic's region."),
        N_("Choose the queue from the list when you add the subscription in the MNS console."),
    ),
    "QueueAlreadyExist": (
        N_("A queue of this name exists, with other attributes."),
        N_("It was made before, by somebody else or with other settings."),
        N_("Use it as it is, or choose another name; its settings are in the MNS console."),
    ),
    "TopicAlreadyExist": (
        N_("A topic of this name exists, with other attributes."),
        N_("It was made before, by somebody else or with other settings."),
        N_("Use it as it is, or choose another name; its settings are in the MNS console."),
    ),
    "SubscriptionAlreadyExist": (
        N_("A subscription of this name exists, with other attributes."),
        N_("It leads to another endpoint, or delivers in another format."),
        N_("Look at it on the topic's page in the MNS console, and choose another name if it is not yours."),
    ),
    "QueueDeletedRecently": (
        N_("A queue of this name was deleted a moment ago."),
        N_("MNS keeps a deleted name to itself for a short time."),
        N_("Wait a minute, or choose another name."),
    ),
    "InvalidAuthorizationHeader": (
        N_("MNS cannot tell who calls."),
        N_("The Authorization header was changed on its way, most often by a proxy."),
        N_("Call the endpoint without the proxy (NO_PROXY), or have it leave headers as they are."),
    ),
    "MissingAuthorizationHeader": (
        N_("MNS cannot tell who calls."),
        N_("The Authorization header was dropped on its way, most often by a proxy."),
        N_("Call the endpoint without the proxy (NO_PROXY), or have it leave headers as they are."),
    ),
    "InvalidDateHeader": (
        N_("MNS cannot read the date of the request."),
        N_("A header was changed on its way, most often by a proxy."),
        N_("Call the endpoint without the proxy (NO_PROXY), or have it leave headers as they are."),
    ),
    "MissingDateHeader": (
        N_("The request has no date."),
        N_("A header was dropped on its way, most often by a proxy."),
        N_("Call the endpoint without the proxy (NO_PROXY), or have it leave headers as they are."),
    ),
    "MissingVersionHeader": (
        N_("The request does not say which version of MNS it is for."),
        N_("A header was dropped on its way, most often by a proxy."),
        N_("Call the endpoint without the proxy (NO_PROXY), or have it leave headers as they are."),
    ),
    "MissingReceiptHandle": (
        N_("The request does not say which message it is about."),
        N_("A part of its address was dropped on its way, most often by a proxy."),
        N_("Call the endpoint without the proxy (NO_PROXY); the message comes again by itself."),
    ),
    "MissingVisibilityTimeout": (
        N_("The request does not say for how long a message is to be hidden."),
        N_("A part of its address was dropped on its way, most often by a proxy."),
        N_("Call the endpoint without the proxy (NO_PROXY); the message comes again by itself."),
    ),
    "InvalidDigest": (
        N_("What arrived is not what the request's checksum says."),
        N_("The body was changed on its way, most often by a proxy."),
        N_("Call the endpoint without the proxy (NO_PROXY), or have it leave bodies as they are."),
    ),
    "InvalidRequestURL": (
        N_("MNS has no such address."),
        N_("mns_endpoint has a path or belongs to another service, or the queue's name has a slash."),
        N_("Write mns_endpoint as https://ACCOUNT.mns.REGION.aliyuncs.com, and only the name in queue."),
    ),
    "InvalidQueryString": (
        N_("MNS cannot read the address's parameters."),
        N_("A proxy changed the address on its way."),
        N_("Call the endpoint without the proxy (NO_PROXY)."),
    ),
    "MalformedXML": (
        N_("MNS cannot read the request's body."),
        N_("It was cut or changed on its way, most often by a proxy."),
        N_("Call the endpoint without the proxy (NO_PROXY), or have it leave bodies as they are."),
    ),
}

_ALSO = {
    "InvalidDegist": "InvalidDigest",
    "InternalServerError": "InternalError",
    "InternalFailure": "InternalError",
    "TooManyRequests": "Throttling",
    "RequestLimitExceeded": "Throttling",
    "FlowControl": "Throttling",
    "NotAuthorized": "AccessDenied",
    "Unauthorized": "AccessDenied",
    "InvalidSignature": "SignatureDoesNotMatch",
    "NoSuchVersion": "InvalidVersion",
    "InvalidNotifyTopicName": "InvalidNotification",
    "InvalidTgtType": "InvalidTargetType",
}
"""Other spellings, and codes that say the same."""

_TEXTS = {**_DOCUMENT, **_CALL, **_QUEUE}
_NAMES = {name.casefold(): name for name in (*_TEXTS, *_ALSO)}
_FAMILY = re.compile(r"(Missing|Invalid)[A-Z]\w*")


def explain(code: str) -> Entry | None:
    """The entry of a code, in any case of its letters: its own, else that of what stands before a dot in it."""
    name = code.strip()
    while name:
        if (known := _NAMES.get(name.casefold())) is not None:
            return _entry(known)
        if "." not in name:
            break
        name = name.rpartition(".")[0]
    family = _FAMILY.fullmatch(name)
    return _entry(f"{family[1]}*") if family else None


def entries() -> list[Entry]:
    """All there are, by their codes."""
    return [_entry(name) for name in sorted(_TEXTS, key=str.casefold)]


def told(code: str) -> str:
    """Two lines, with the likely cause of a code and what to do about it; "" where there is nothing to be said."""
    entry = explain(code)
    if entry is None or not entry.cure:
        return ""
    cause = _("Likely cause: {cause}").format(cause=entry.cause)
    cure = _("What to do: {cure}").format(cure=entry.cure)
    return f"{cause}\n{cure}"


def _entry(name: str) -> Entry:
    code = _ALSO.get(name, name)
    meaning, cause, cure = _TEXTS[code]
    return Entry(code, _(meaning), _(cause), _(cure))
