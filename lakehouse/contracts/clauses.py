"""The privacy policy in the project's own words, clause by clause: what it asks, and what the platform does about it.

Contracts, retention rules and pages name a clause by its id; docs/policy.md is written from here. `does` says what
holds today, and "not yet" where nothing does: a reader must never take a plan for a fact.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Clause:
    """One clause. `chapter` is the part of the page it stands in; `title` a few words for lists and links."""

    clause_id: str
    chapter: str
    title: str
    asks: str
    does: str


_CONSENT = "Consent, versions, minors"
_COLLECTION = "What may be collected"
_ORDERS = "Orders and payments"
_PURPOSES = "Purposes"
_SHARING = "Sharing"
_SECURITY = "Security and place"
_ACCESS = "Access and correction"
_DELETION = "Keeping and deleting"

CLAUSES: dict[str, Clause] = {
    clause.clause_id: clause
    for clause in (
        Clause(
            "C-01",
            _CONSENT,
            "consent to cookies",
            "Visitors of the site are asked to agree to cookies.",
            "Not yet: no web logs are taken in. The landing folder has no place for them, so none can arrive.",
        ),
        Clause(
            "C-02",
            _CONSENT,
            "versions of the policy",
            "The policy has an effective date, may change, and its latest version holds.",
            "Not yet: no list of versions is kept. This page describes the version in effect since June 2022.",
        ),
        Clause(
            "C-03",
            _CONSENT,
            "consent given with an order",
            "Whoever submits an order agrees that their information is collected, used and transmitted.",
            "Not yet: no consents are recorded, and nothing that would need one beyond the order itself is computed.",
        ),
        Clause(
            "C-04",
            _CONSENT,
            "notice of new versions",
            "People are told of a new version on the site and in the app.",
            "Not yet: the platform sends no notices.",
        ),
        Clause(
            "C-05",
            _CONSENT,
            "minors",
            "Whoever is under 18 needs the written consent of a parent or guardian.",
            "Not yet: accounts carry no age. Nothing but the order itself is made of anybody's data, so nobody of "
            "unknown age gets into marketing or a share.",
        ),
        Clause(
            "C-06",
            _CONSENT,
            "freezing and cancelling accounts",
            "Accounts belong to people of full legal capacity; others may be cancelled or frozen for good.",
            "An account has one of five states (active, frozen for a time, frozen for good, cancelled, erased), "
            "checked on every delivery. Not yet: the history of states and which changes are allowed.",
        ),
        Clause(
            "C-10",
            _COLLECTION,
            "phone number",
            "The phone number identifies the account and is confirmed by a code sent to it.",
            "Phones, codes and passwords are no fields of any delivery: a line that has one is refused, and no table "
            "has a column for them. Not yet: an encrypted place for the phone.",
        ),
        Clause(
            "C-11",
            _COLLECTION,
            "nickname and picture",
            "People may add a nickname and a picture of themselves.",
            "Neither is taken in: a line with such a field is refused.",
        ),
        Clause(
            "C-12",
            _COLLECTION,
            "movement and clothing",
            "Movements and clothing in the store are recorded in order to make the order.",
            "Detections, trajectories, clothing colours and shelf events are computed from footage for that alone, "
            "lie in partitions of capture hour, and are dropped before they are 72 hours old.",
        ),
        Clause(
            "C-13",
            _COLLECTION,
            "surveillance video",
            "The store is filmed throughout.",
            "Every clip is catalogued with its camera, times, hash and the gap before it, so that missing footage "
            "shows. Clips and their catalogue are gone before they are 168 hours old.",
        ),
        Clause(
            "C-14",
            _COLLECTION,
            "location",
            "A store may be suggested from the phone's location, where the person allows it.",
            "Not yet: no location is taken in.",
        ),
        Clause(
            "C-15",
            _COLLECTION,
            "browser and computer",
            "Address, browser, language, times and pages of a visit to the site are recorded.",
            "Not yet: no web logs are taken in.",
        ),
        Clause(
            "C-16",
            _COLLECTION,
            "device",
            "Model, identifier, system and carrier of the device may be read.",
            "Not yet: no device data are taken in.",
        ),
        Clause(
            "C-17",
            _COLLECTION,
            "behaviour, support and surveys",
            "Actions and transactions, letters to customer service and answers to surveys may be kept.",
            "Of these only orders from before the platform are taken in, without free text. A reviewer's reason is "
            "the one free text there is; the review page asks for no names in it.",
        ),
        Clause(
            "C-18",
            _COLLECTION,
            "risk to the account",
            "Habits, common software and suspicious addresses may be used to judge the risk of an account.",
            "Not yet: nothing of the kind is taken in or computed.",
        ),
        Clause(
            "C-19",
            _COLLECTION,
            "information from third parties",
            "Partners may pass on identity, behaviour, transactions and devices that the person authorised.",
            "Not yet: no third party delivers.",
        ),
        Clause(
            "C-20",
            _COLLECTION,
            "what the policy leaves out",
            "Search words, credit assessments, measures taken, and public company data are said to be outside of it.",
            "Not yet: none of these is taken in. The law does not leave them out, so once they are they will be "
            "erasable like the rest.",
        ),
        Clause(
            "C-21",
            _COLLECTION,
            "nothing beside the point",
            "Reasonable measures keep out information that is not needed.",
            "Every delivery has a closed list of fields; a line with another one is refused and counted, and its "
            "content is repeated in no message.",
        ),
        Clause(
            "C-22",
            _COLLECTION,
            "enquiries of companies",
            "The site takes a company's name and a code in return for documents.",
            "Not yet: no enquiries are taken in.",
        ),
        Clause(
            "C-25",
            _ORDERS,
            "what an order says",
            "Products, order number, time, amount and method of payment.",
            "Orders and their lines hold exactly that. Amounts are whole fen, lines add up to their order, and "
            "order numbers are unique: all three are checks.",
        ),
        Clause(
            "C-26",
            _ORDERS,
            "evidence for customer service",
            "What is collected also serves queries and complaints afterwards.",
            "Evidence dies with its source: a day's totals are frozen when the first of its movement data go, and "
            "what stays is the order and how sure it was, not the trajectory behind it.",
        ),
        Clause(
            "C-27",
            _ORDERS,
            "unusual transactions",
            "Orders may be examined for anomalies, to protect the person.",
            "A doubtful order waits for a person's decision, which is kept with its reason code. Not yet: rules that "
            "look for fraud.",
        ),
        Clause(
            "C-28",
            _ORDERS,
            "what payment companies receive",
            "Alipay, WeChat and ICBC receive the name of the account, the payment and the device.",
            "Not yet: nothing is sent to anybody. Only the method of payment is known.",
        ),
        Clause(
            "C-30",
            _PURPOSES,
            "a purpose for everything",
            "Information is used to serve, to protect, to improve, and for what else people agreed to.",
            "Every table names its purposes. Not yet: a closed list of them, and a check that a table derived from "
            "another stays within them.",
        ),
        Clause(
            "C-31",
            _PURPOSES,
            "personal recommendations",
            "Movement and clothing may be used for marketing, which each person can turn off.",
            "Not done at all: no such feature is computed, for anybody.",
        ),
        Clause(
            "C-32",
            _PURPOSES,
            "statistics without persons",
            "Statistics of use may be published if nobody can be recognised in them.",
            "The analysts' file holds totals of store-days, looked over column by column before it is put in place. "
            "It is internal. Not yet: noise, and a budget, for anything public.",
        ),
        Clause(
            "C-33",
            _PURPOSES,
            "surveys",
            "People may be asked about products and services.",
            "Not yet: no surveys are taken in.",
        ),
        Clause(
            "C-35",
            _SHARING,
            "grounds for sharing",
            "Seven grounds are listed on which information may be passed on.",
            "Nothing is passed on. Not yet: a ledger of disclosures.",
        ),
        Clause(
            "C-36",
            _SHARING,
            "authorities and complainants",
            "Authorities, and the other side of a complaint, may receive what their case needs.",
            "Not yet: no extract can be made.",
        ),
        Clause(
            "C-37",
            _SHARING,
            "sale of the business",
            "People are told before their information goes to a new owner.",
            "Not yet: no transfer can be made.",
        ),
        Clause(
            "C-38",
            _SHARING,
            "list of third-party components",
            "An attachment is said to list the third parties within the app. The policy does not contain it.",
            "Nobody receives anything. Not yet: a register of recipients.",
        ),
        Clause(
            "C-40",
            _SECURITY,
            "encryption",
            "Phone numbers travel encrypted and are stored under AES-256.",
            "No phone number is stored. Not yet: a vault with keys of its own.",
        ),
        Clause(
            "C-41",
            _SECURITY,
            "within the country",
            "Personal information stays within the People's Republic of China.",
            "Data stay where the settings say: a folder or a bucket. Telemetry of Dagster is switched off. Not yet: a "
            "check of the places at start.",
        ),
        Clause(
            "C-42",
            _SECURITY,
            "protection from others",
            "Systems and procedures protect against access, change, disclosure and loss.",
            "The analysts' file holds no personal column, which every build checks. Logs, messages, statistics of "
            "files and names of folders hold no personal value. Not yet: rights of files, and a log of access.",
        ),
        Clause(
            "C-43",
            _SECURITY,
            "after a leak",
            "Whoever learns of a leak is to report it, so that measures can be taken.",
            "Not yet: no register of incidents. SECURITY.md says how to report a weakness of the software.",
        ),
        Clause(
            "C-45",
            _ACCESS,
            "correction",
            "Name and phone of a verified account can be changed.",
            "Neither is stored. Not yet: corrections.",
        ),
        Clause(
            "C-46",
            _ACCESS,
            "access",
            "The law gives everybody a copy of what is held about them; the policy does not say how.",
            "Not yet: the data dictionary says what is held, no command exports it.",
        ),
        Clause(
            "C-50",
            _DELETION,
            "movement and clothing: 3 days",
            "Movement and clothing data are deleted automatically every 3 days.",
            "Read strictly: nothing is older than 72 hours from its capture. A sweep drops each capture hour half an "
            "hour before that, looks again, and enters what was removed in privacy/sweeps.",
        ),
        Clause(
            "C-51",
            _DELETION,
            "footage: 7 days",
            "Surveillance video is deleted automatically every 7 days.",
            "Read strictly: nothing is older than 168 hours from its capture, clips that no catalogue knows and "
            "refused ones included. The same sweep does it.",
        ),
        Clause(
            "C-52",
            _DELETION,
            "unused accounts: 6 months",
            "An account that was not used for 6 months may be cleaned up.",
            "Tables that this clock governs say so. Not yet: the clean-up itself.",
        ),
        Clause(
            "C-53",
            _DELETION,
            "deletion on request: 15 days",
            "On five grounds a person can have their information deleted within fifteen days.",
            "The writer drops rows of people on the ledger of erased subjects. Not yet: the request and its way "
            "through the platform.",
        ),
        Clause(
            "C-54",
            _DELETION,
            "telling those who received it",
            "Whoever received the information is asked to delete it too.",
            "Nobody received anything.",
        ),
        Clause(
            "C-55",
            _DELETION,
            "backups",
            "Backups may follow later, when they are renewed.",
            "The platform makes no backups yet.",
        ),
        Clause(
            "C-56",
            _DELETION,
            "cancelling an account",
            "After a cancellation the service stops, and what is held is deleted when the person asks.",
            "A cancelled account is known as such. Not yet: that it stops all processing at once.",
        ),
        Clause(
            "C-57",
            _DELETION,
            "no longer than needed",
            "Information is kept for as long as its purposes need, unless the law asks for more.",
            "Each class of data has a rule with limit, basis and approver; a legal minimum above a promise loads only "
            "with a recorded decision. The sweep's ledger is kept as proof. Not yet: legal holds.",
        ),
        Clause(
            "C-58",
            _DELETION,
            "answers within 15 days",
            "Enquiries are answered within fifteen days.",
            "Not yet: no enquiries are taken in.",
        ),
        Clause(
            "C-59",
            _DELETION,
            "measures by the operator",
            "The operator may close accounts, edit content and cancel orders.",
            "Decisions on doubtful orders are kept with reviewer and time. Not yet: other measures.",
        ),
    )
}
"""By id, in the order of the policy."""
