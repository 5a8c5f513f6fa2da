package web

import (
	"regexp"
	"strings"

	"tocsin/ui"
)

// Sigma's tags name tactics and techniques of MITRE ATT&CK by number; people know them by name. The table holds those that rules for
// shops, web servers and Linux hosts use (Enterprise matrix, version 16). Of others the number is shown.

var attackTag = regexp.MustCompile(`^attack\.(t\d{4}(?:\.\d{3})?|[gs]\d{4})$`)

// tagFacts words the tags of a rule.
func tagFacts(tags []string) (out []ui.Fact) {
	for _, t := range tags {
		lower := strings.ToLower(t)
		rest, attack := strings.CutPrefix(lower, "attack.")
		switch {
		case !attack:
			if name, value, ok := tagWords(lower); ok {
				out = append(out, ui.Fact{Name: name, Value: value})
			} else {
				out = append(out, ui.Fact{Name: t, Value: "as the author tagged it"})
			}
		case attackTag.MatchString(lower):
			out = append(out, ui.Fact{Name: strings.ToUpper(rest), Value: techniqueWords(strings.ToUpper(rest))})
		default:
			name := strings.ReplaceAll(rest, "_", "-")
			if id, ok := tactics[name]; ok {
				out = append(out, ui.Fact{Name: id, Value: "tactic: " + strings.ReplaceAll(name, "-", " ")})
			} else {
				out = append(out, ui.Fact{Name: t, Value: "as the author tagged it"})
			}
		}
	}
	return out
}

// tagWords words the tags of Sigma's other namespaces that say more than their letters: cve.2021-44228, detection.emerging-threats.
func tagWords(tag string) (name, value string, ok bool) {
	if rest, ok := strings.CutPrefix(tag, "cve."); ok {
		return "CVE-" + strings.ReplaceAll(rest, ".", "-"), "a known hole", true
	}
	if rest, ok := strings.CutPrefix(tag, "detection."); ok {
		return "detection", strings.ReplaceAll(rest, "-", " "), true
	}
	return "", "", false
}

// techniqueWords names a technique; a part of one is named behind the whole.
func techniqueWords(id string) string {
	if id[0] != 'T' {
		return "a group or software of MITRE ATT&CK"
	}
	whole, part, sub := strings.Cut(id, ".")
	name, known := techniques[whole]
	if !known {
		return "a technique of MITRE ATT&CK"
	}
	if !sub {
		return name
	}
	if detail, ok := techniques[id]; ok {
		return name + ": " + detail
	}
	return name + ", part " + part
}

var tactics = map[string]string{
	"reconnaissance": "TA0043", "resource-development": "TA0042", "initial-access": "TA0001", "execution": "TA0002", "persistence": "TA0003",
	"privilege-escalation": "TA0004", "defense-evasion": "TA0005", "credential-access": "TA0006", "discovery": "TA0007", "lateral-movement": "TA0008",
	"collection": "TA0009", "command-and-control": "TA0011", "exfiltration": "TA0010", "impact": "TA0040",
}

var techniques = map[string]string{
	"T1001": "Data Obfuscation", "T1003": "OS Credential Dumping", "T1005": "Data from Local System", "T1014": "Rootkit", "T1016": "System Network Configuration Discovery",
	"T1018": "Remote System Discovery", "T1020": "Automated Exfiltration", "T1021": "Remote Services", "T1021.004": "SSH", "T1027": "Obfuscated Files or Information",
	"T1030": "Data Transfer Size Limits", "T1033": "System Owner/User Discovery", "T1036": "Masquerading", "T1036.007": "Double File Extension", "T1037": "Boot or Logon Initialization Scripts",
	"T1040": "Network Sniffing", "T1041": "Exfiltration Over C2 Channel", "T1046": "Network Service Discovery", "T1048": "Exfiltration Over Alternative Protocol",
	"T1048.003": "Exfiltration Over Unencrypted Non-C2 Protocol", "T1049": "System Network Connections Discovery", "T1053": "Scheduled Task/Job", "T1053.003": "Cron",
	"T1055": "Process Injection", "T1056": "Input Capture", "T1056.001": "Keylogging", "T1056.003": "Web Portal Capture", "T1057": "Process Discovery",
	"T1059": "Command and Scripting Interpreter", "T1059.001": "PowerShell", "T1059.003": "Windows Command Shell", "T1059.004": "Unix Shell", "T1059.006": "Python",
	"T1059.007": "JavaScript", "T1068": "Exploitation for Privilege Escalation", "T1070": "Indicator Removal", "T1070.002": "Clear Linux or Mac System Logs",
	"T1070.003": "Clear Command History", "T1070.004": "File Deletion", "T1071": "Application Layer Protocol", "T1071.001": "Web Protocols", "T1074": "Data Staged",
	"T1078": "Valid Accounts", "T1078.001": "Default Accounts", "T1078.003": "Local Accounts", "T1078.004": "Cloud Accounts", "T1082": "System Information Discovery",
	"T1083": "File and Directory Discovery", "T1087": "Account Discovery", "T1087.001": "Local Account", "T1090": "Proxy", "T1090.002": "External Proxy", "T1090.003": "Multi-hop Proxy", "T1095": "Non-Application Layer Protocol",
	"T1098": "Account Manipulation", "T1098.004": "SSH Authorized Keys", "T1102": "Web Service", "T1105": "Ingress Tool Transfer", "T1110": "Brute Force",
	"T1110.001": "Password Guessing", "T1110.002": "Password Cracking", "T1110.003": "Password Spraying", "T1110.004": "Credential Stuffing", "T1111": "Multi-Factor Authentication Interception",
	"T1114": "Email Collection", "T1119": "Automated Collection", "T1132": "Data Encoding", "T1133": "External Remote Services", "T1134": "Access Token Manipulation",
	"T1136": "Create Account", "T1136.001": "Local Account", "T1140": "Deobfuscate/Decode Files or Information", "T1176": "Software Extensions", "T1185": "Browser Session Hijacking",
	"T1189": "Drive-by Compromise", "T1190": "Exploit Public-Facing Application", "T1195": "Supply Chain Compromise", "T1195.002": "Compromise Software Supply Chain",
	"T1199": "Trusted Relationship", "T1201": "Password Policy Discovery", "T1202": "Indirect Command Execution", "T1203": "Exploitation for Client Execution",
	"T1204": "User Execution", "T1210": "Exploitation of Remote Services", "T1211": "Exploitation for Defense Evasion", "T1212": "Exploitation for Credential Access",
	"T1213": "Data from Information Repositories", "T1213.006": "Databases", "T1218": "System Binary Proxy Execution", "T1219": "Remote Access Tools", "T1222": "File and Directory Permissions Modification",
	"T1222.002": "Linux and Mac File and Directory Permissions Modification", "T1485": "Data Destruction", "T1486": "Data Encrypted for Impact", "T1489": "Service Stop",
	"T1490": "Inhibit System Recovery", "T1491": "Defacement", "T1491.002": "External Defacement", "T1495": "Firmware Corruption", "T1496": "Resource Hijacking",
	"T1498": "Network Denial of Service", "T1499": "Endpoint Denial of Service", "T1499.001": "OS Exhaustion Flood", "T1499.002": "Service Exhaustion Flood", "T1499.004": "Application or System Exploitation",
	"T1505": "Server Software Component", "T1505.003": "Web Shell", "T1505.004": "IIS Components", "T1518": "Software Discovery", "T1528": "Steal Application Access Token",
	"T1529": "System Shutdown/Reboot", "T1530": "Data from Cloud Storage", "T1531": "Account Access Removal", "T1539": "Steal Web Session Cookie", "T1543": "Create or Modify System Process",
	"T1546": "Event Triggered Execution", "T1547": "Boot or Logon Autostart Execution", "T1548": "Abuse Elevation Control Mechanism", "T1548.001": "Setuid and Setgid",
	"T1548.003": "Sudo and Sudo Caching", "T1550": "Use Alternate Authentication Material", "T1550.004": "Web Session Cookie", "T1552": "Unsecured Credentials", "T1552.005": "Cloud Instance Metadata API", "T1552.001": "Credentials In Files",
	"T1552.003": "Bash History", "T1552.004": "Private Keys", "T1553": "Subvert Trust Controls", "T1554": "Compromise Host Software Binary", "T1555": "Credentials from Password Stores",
	"T1556": "Modify Authentication Process", "T1557": "Adversary-in-the-Middle", "T1560": "Archive Collected Data", "T1561": "Disk Wipe", "T1562": "Impair Defenses",
	"T1562.001": "Disable or Modify Tools", "T1562.004": "Disable or Modify System Firewall", "T1562.012": "Disable or Modify Linux Audit System", "T1564": "Hide Artifacts",
	"T1565": "Data Manipulation", "T1565.001": "Stored Data Manipulation", "T1566": "Phishing", "T1566.002": "Spearphishing Link", "T1567": "Exfiltration Over Web Service",
	"T1567.002": "Exfiltration to Cloud Storage", "T1568": "Dynamic Resolution", "T1569": "System Services", "T1570": "Lateral Tool Transfer", "T1571": "Non-Standard Port",
	"T1572": "Protocol Tunneling", "T1573": "Encrypted Channel", "T1574": "Hijack Execution Flow", "T1574.006": "Dynamic Linker Hijacking", "T1583": "Acquire Infrastructure",
	"T1584": "Compromise Infrastructure", "T1586": "Compromise Accounts", "T1587": "Develop Capabilities", "T1588": "Obtain Capabilities", "T1589": "Gather Victim Identity Information",
	"T1589.001": "Credentials", "T1589.002": "Email Addresses", "T1590": "Gather Victim Network Information", "T1592": "Gather Victim Host Information", "T1593": "Search Open Websites/Domains",
	"T1595": "Active Scanning", "T1595.001": "Scanning IP Blocks", "T1595.002": "Vulnerability Scanning", "T1595.003": "Wordlist Scanning", "T1596": "Search Open Technical Databases",
	"T1606": "Forge Web Credentials", "T1606.001": "Web Cookies", "T1608": "Stage Capabilities", "T1610": "Deploy Container", "T1611": "Escape to Host", "T1621": "Multi-Factor Authentication Request Generation",
	"T1649": "Steal or Forge Authentication Certificates", "T1657": "Financial Theft",
}
