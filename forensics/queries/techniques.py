"""The ATT&CK and ATLAS ids that headers of queries may use, with names, and how version 19 renamed some.

A dated extract, not the whole matrix: techniques of cloud, identity and services that logs of AWS and of AI providers can
show. Ids of version 18.1 (https://attack.mitre.org/versions/v18/) as of 2025-11; the renamings of version 19, which split
Impair Defenses off, as of 2026-08; ATLAS (https://atlas.mitre.org/techniques) as of 2026-08. An id that is missing here
is added here, with its name, when a query first needs it.
"""

from __future__ import annotations

from collections.abc import Iterable

#: The version that ids in `attack` are of.
ATTACK_VERSION = "18.1"

_ATTACK = """
T1020.001 Traffic Duplication
T1021.004 Remote Services: SSH
T1021.007 Remote Services: Cloud Services
T1021.008 Remote Services: Direct Cloud VM Connections
T1036.010 Masquerade Account Name
T1040 Network Sniffing
T1046 Network Service Discovery
T1048 Exfiltration Over Alternative Protocol
T1059.009 Command and Scripting Interpreter: Cloud API
T1069.003 Permission Groups Discovery: Cloud Groups
T1070 Indicator Removal
T1074 Data Staged
T1074.002 Remote Data Staging
T1078 Valid Accounts
T1078.001 Valid Accounts: Default Accounts
T1078.004 Valid Accounts: Cloud Accounts
T1082 System Information Discovery
T1087.004 Account Discovery: Cloud Account
T1090 Proxy
T1090.003 Multi-hop Proxy
T1098 Account Manipulation
T1098.001 Additional Cloud Credentials
T1098.003 Additional Cloud Roles
T1098.004 SSH Authorized Keys
T1098.005 Device Registration
T1098.006 Additional Container Cluster Roles
T1110 Brute Force
T1110.001 Password Guessing
T1110.003 Password Spraying
T1110.004 Credential Stuffing
T1119 Automated Collection
T1136.003 Create Account: Cloud Account
T1190 Exploit Public-Facing Application
T1199 Trusted Relationship
T1201 Password Policy Discovery
T1204 User Execution
T1204.003 Malicious Image
T1213 Data from Information Repositories
T1213.006 Databases
T1484.002 Trust Modification
T1485 Data Destruction
T1485.001 Lifecycle-Triggered Deletion
T1486 Data Encrypted for Impact
T1489 Service Stop
T1490 Inhibit System Recovery
T1491.002 External Defacement
T1496 Resource Hijacking
T1496.001 Compute Hijacking
T1496.002 Bandwidth Hijacking
T1496.003 SMS Pumping
T1496.004 Cloud Service Hijacking
T1498 Network Denial of Service
T1499.002 Service Exhaustion Flood
T1499.003 Application Exhaustion Flood
T1518.001 Security Software Discovery
T1525 Implant Internal Image
T1526 Cloud Service Discovery
T1528 Steal Application Access Token
T1530 Data from Cloud Storage
T1531 Account Access Removal
T1535 Unused/Unsupported Cloud Regions
T1537 Transfer Data to Cloud Account
T1538 Cloud Service Dashboard
T1546 Event Triggered Execution
T1548 Abuse Elevation Control Mechanism
T1548.005 Temporary Elevated Cloud Access
T1550.001 Application Access Token
T1550.004 Web Session Cookie
T1552 Unsecured Credentials
T1552.001 Credentials In Files
T1552.005 Cloud Instance Metadata API
T1555.006 Cloud Secrets Management Stores
T1556 Modify Authentication Process
T1556.006 Multi-Factor Authentication
T1556.007 Hybrid Identity
T1556.009 Conditional Access Policies
T1562 Impair Defenses
T1562.001 Disable or Modify Tools
T1562.002 Disable Windows Event Logging
T1562.004 Disable or Modify System Firewall
T1562.007 Disable or Modify Cloud Firewall
T1562.008 Disable or Modify Cloud Logs
T1562.010 Downgrade Attack
T1565.001 Stored Data Manipulation
T1567 Exfiltration Over Web Service
T1578 Modify Cloud Compute Infrastructure
T1578.001 Create Snapshot
T1578.002 Create Cloud Instance
T1578.003 Delete Cloud Instance
T1578.004 Revert Cloud Instance
T1578.005 Modify Cloud Compute Configurations
T1580 Cloud Infrastructure Discovery
T1583.001 Acquire Infrastructure: Domains
T1606 Forge Web Credentials
T1606.002 SAML Tokens
T1614 System Location Discovery
T1619 Cloud Storage Object Discovery
T1621 Multi-Factor Authentication Request Generation
T1648 Serverless Execution
T1651 Cloud Administration Command
T1654 Log Enumeration
T1656 Impersonation
T1657 Financial Theft
T1666 Modify Cloud Resource Hierarchy
"""

_ATLAS = """
AML.T0012 Valid Accounts
AML.T0024 Exfiltration via AI Inference API
AML.T0029 Denial of AI Service
AML.T0034 Cost Harvesting
AML.T0040 AI Model Inference API Access
AML.T0051 LLM Prompt Injection
AML.T0054 LLM Jailbreak
AML.T0055 Unsecured Credentials
AML.T0057 LLM Data Leakage
AML.T0070 RAG Poisoning
"""

#: Ids of version 18.1 that version 19 renamed; every other id stayed.
RENAMED = {
    "T1562": "T1685",
    "T1562.001": "T1685",
    "T1562.002": "T1685.001",
    "T1562.004": "T1686",
    "T1562.007": "T1686.001",
    "T1562.008": "T1685.002",
    "T1562.010": "T1689",
    "T1656": "T1684.001",
}


def _table(text: str) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in text.split("\n") if line)


#: Id to name.
TECHNIQUES = _table(_ATTACK)
ATLAS_TECHNIQUES = _table(_ATLAS)


def in_version_19(techniques: Iterable[str]) -> tuple[str, ...]:
    """Return ids of version 18.1 as version 19 names them, each once, in the order of their first."""
    return tuple(dict.fromkeys(RENAMED.get(t, t) for t in techniques))
