package detect

import (
	"strconv"
	"strings"
)

// countryTable has a line for each country: its ISO 3166-1 alpha-2 code, places in it (degrees north and east of the
// principal place of each of its time zones), and its English name as it stands in a sentence. Codes and names are those of the file
// iso3166.tab of the IANA time zone database 2025b, places those of its zone.tab, rounded to a degree; both are in the public
// domain. Some names are spelt as a sentence wants them; two uninhabited islands have no zone, and the place of the island.
const countryTable = `
AD 42,2 Andorra
AE 25,55 the United Arab Emirates
AF 35,69 Afghanistan
AG 17,-62 Antigua and Barbuda
AI 18,-63 Anguilla
AL 41,20 Albania
AM 40,44 Armenia
AO -9,13 Angola
AQ -78,167;-66,111;-69,78;-67,140;-68,63;-65,-64;-68,-68;-69,40;-72,3;-78,107 Antarctica
AR -35,-58;-31,-64;-25,-65;-24,-65;-27,-65;-28,-66;-29,-67;-32,-69;-33,-69;-33,-66;-52,-69;-55,-68 Argentina
AS -14,-171 American Samoa
AT 48,16 Austria
AU -32,159;-54,159;-43,147;-38,145;-34,151;-32,141;-27,153;-20,149;-35,139;-12,131;-32,116;-32,129 Australia
AW 12,-70 Aruba
AX 60,20 Åland Islands
AZ 40,50 Azerbaijan
BA 44,18 Bosnia and Herzegovina
BB 13,-60 Barbados
BD 24,90 Bangladesh
BE 51,4 Belgium
BF 12,-2 Burkina Faso
BG 43,23 Bulgaria
BH 26,51 Bahrain
BI -3,29 Burundi
BJ 6,3 Benin
BL 18,-63 Saint Barthélemy
BM 32,-65 Bermuda
BN 5,115 Brunei
BO -16,-68 Bolivia
BQ 12,-68 Caribbean NL
BR -4,-32;-1,-48;-4,-38;-8,-35;-7,-48;-10,-36;-13,-39;-24,-47;-20,-55;-16,-56;-2,-55;-9,-64;3,-61;-3,-60;-7,-70;-10,-68 Brazil
BS 25,-77 the Bahamas
BT 27,90 Bhutan
BV -54,3 Bouvet Island
BW -25,26 Botswana
BY 54,28 Belarus
BZ 18,-88 Belize
CA 48,-53;45,-64;46,-60;46,-65;53,-60;51,-57;44,-79;64,-68;49,-92;50,-97;75,-95;63,-92;50,-105;50,-108;54,-113;69,-105;68,-134;49,-117;56,-120;59,-123;61,-135;64,-139;49,-123 Canada
CC -12,97 the Cocos Islands
CD -4,15;-12,27 the Democratic Republic of the Congo
CF 4,19 the Central African Republic
CG -4,15 the Republic of the Congo
CH 47,9 Switzerland
CI 5,-4 Côte d'Ivoire
CK -21,-160 the Cook Islands
CL -33,-71;-46,-72;-53,-71;-27,-109 Chile
CM 4,10 Cameroon
CN 31,121;44,88 China
CO 5,-74 Colombia
CR 10,-84 Costa Rica
CU 23,-82 Cuba
CV 15,-24 Cape Verde
CW 12,-69 Curaçao
CX -10,106 Christmas Island
CY 35,33;35,34 Cyprus
CZ 50,14 Czechia
DE 52,13;48,9 Germany
DJ 12,43 Djibouti
DK 56,13 Denmark
DM 15,-61 Dominica
DO 18,-70 the Dominican Republic
DZ 37,3 Algeria
EC -2,-80;-1,-90 Ecuador
EE 59,25 Estonia
EG 30,31 Egypt
EH 27,-13 Western Sahara
ER 15,39 Eritrea
ES 40,-4;36,-5;28,-15 Spain
ET 9,39 Ethiopia
FI 60,25 Finland
FJ -18,178 Fiji
FK -52,-58 the Falkland Islands
FM 7,152;7,158;5,163 Micronesia
FO 62,-7 the Faroe Islands
FR 49,2 France
GA 0,9 Gabon
GB 52,0 the United Kingdom
GD 12,-62 Grenada
GE 42,45 Georgia
GF 5,-52 French Guiana
GG 49,-3 Guernsey
GH 6,0 Ghana
GI 36,-5 Gibraltar
GL 64,-52;77,-19;70,-22;77,-69 Greenland
GM 13,-17 the Gambia
GN 10,-14 Guinea
GP 16,-62 Guadeloupe
GQ 4,9 Equatorial Guinea
GR 38,24 Greece
GS -54,-37 South Georgia
GT 15,-91 Guatemala
GU 13,145 Guam
GW 12,-16 Guinea-Bissau
GY 7,-58 Guyana
HK 22,114 Hong Kong
HM -53,74 Heard Island
HN 14,-87 Honduras
HR 46,16 Croatia
HT 19,-72 Haiti
HU 48,19 Hungary
ID -6,107;0,109;-5,119;-3,141 Indonesia
IE 53,-6 Ireland
IL 32,35 Israel
IM 54,-4 Isle of Man
IN 23,88 India
IO -7,72 the British Indian Ocean Territory
IQ 33,44 Iraq
IR 36,51 Iran
IS 64,-22 Iceland
IT 42,12 Italy
JE 49,-2 Jersey
JM 18,-77 Jamaica
JO 32,36 Jordan
JP 36,140 Japan
KE -1,37 Kenya
KG 43,75 Kyrgyzstan
KH 12,105 Cambodia
KI 1,173;-3,-172;2,-157 Kiribati
KM -12,43 the Comoros
KN 17,-63 Saint Kitts and Nevis
KP 39,126 North Korea
KR 38,127 South Korea
KW 29,48 Kuwait
KY 19,-81 the Cayman Islands
KZ 43,77;45,65;53,64;50,57;45,50;47,52;51,51 Kazakhstan
LA 18,103 Laos
LB 34,36 Lebanon
LC 14,-61 Saint Lucia
LI 47,10 Liechtenstein
LK 7,80 Sri Lanka
LR 6,-11 Liberia
LS -29,28 Lesotho
LT 55,25 Lithuania
LU 50,6 Luxembourg
LV 57,24 Latvia
LY 33,13 Libya
MA 34,-8 Morocco
MC 44,7 Monaco
MD 47,29 Moldova
ME 42,19 Montenegro
MF 18,-63 Saint Martin
MG -19,48 Madagascar
MH 7,171;9,167 the Marshall Islands
MK 42,21 North Macedonia
ML 13,-8 Mali
MM 17,96 Myanmar
MN 48,107;48,92 Mongolia
MO 22,114 Macau
MP 15,146 the Northern Mariana Islands
MQ 15,-61 Martinique
MR 18,-16 Mauritania
MS 17,-62 Montserrat
MT 36,15 Malta
MU -20,58 Mauritius
MV 4,74 the Maldives
MW -16,35 Malawi
MX 19,-99;21,-87;21,-90;26,-100;26,-98;29,-106;32,-106;30,-104;23,-106;21,-105;29,-111;33,-117 Mexico
MY 3,102;2,110 Malaysia
MZ -26,33 Mozambique
NA -23,17 Namibia
NC -22,166 New Caledonia
NE 14,2 Niger
NF -29,168 Norfolk Island
NG 6,3 Nigeria
NI 12,-86 Nicaragua
NL 52,5 the Netherlands
NO 60,11 Norway
NP 28,85 Nepal
NR -1,167 Nauru
NU -19,-170 Niue
NZ -37,175;-44,-177 New Zealand
OM 24,59 Oman
PA 9,-80 Panama
PE -12,-77 Peru
PF -18,-150;-9,-140;-23,-135 French Polynesia
PG -10,147;-6,156 Papua New Guinea
PH 15,121 the Philippines
PK 25,67 Pakistan
PL 52,21 Poland
PM 47,-56 Saint Pierre and Miquelon
PN -25,-130 Pitcairn
PR 18,-66 Puerto Rico
PS 32,34;32,35 Palestine
PT 39,-9;33,-17;38,-26 Portugal
PW 7,134 Palau
PY -25,-58 Paraguay
QA 25,52 Qatar
RE -21,55 Réunion
RO 44,26 Romania
RS 45,20 Serbia
RU 55,20;56,38;59,50;49,44;46,48;52,46;54,48;53,50;57,61;55,73;55,83;53,84;56,85;54,87;56,93;52,104;52,113;62,130;63,136;43,132;65,143;60,151;47,143;67,154;53,159;65,177 Russia
RW -2,30 Rwanda
SA 25,47 Saudi Arabia
SB -10,160 the Solomon Islands
SC -5,55 the Seychelles
SD 16,33 Sudan
SE 59,18 Sweden
SG 1,104 Singapore
SH -16,-6 Saint Helena
SI 46,15 Slovenia
SJ 78,16 Svalbard and Jan Mayen
SK 48,17 Slovakia
SL 8,-13 Sierra Leone
SM 44,12 San Marino
SN 15,-17 Senegal
SO 2,45 Somalia
SR 6,-55 Suriname
SS 5,32 South Sudan
ST 0,7 São Tomé and Príncipe
SV 14,-89 El Salvador
SX 18,-63 Sint Maarten
SY 34,36 Syria
SZ -26,31 Eswatini
TC 21,-71 the Turks and Caicos Islands
TD 12,15 Chad
TF -49,70 the French Southern Territories
TG 6,1 Togo
TH 14,101 Thailand
TJ 39,69 Tajikistan
TK -9,-171 Tokelau
TL -9,126 East Timor
TM 38,58 Turkmenistan
TN 37,10 Tunisia
TO -21,-175 Tonga
TR 41,29 Turkey
TT 11,-62 Trinidad and Tobago
TV -9,179 Tuvalu
TW 25,122 Taiwan
TZ -7,39 Tanzania
UA 45,34;50,31 Ukraine
UG 0,32 Uganda
UM 28,-177;19,167 the minor outlying islands of the United States
US 41,-74;42,-83;38,-86;37,-85;40,-86;39,-88;41,-87;38,-87;39,-85;42,-88;45,-88;47,-101;47,-102;40,-105;44,-116;33,-112;34,-118;61,-150;58,-134;57,-135;55,-132;60,-140;64,-165;52,-177;21,-158 the United States
UY -35,-56 Uruguay
UZ 40,67;41,69 Uzbekistan
VA 42,12 Vatican City
VC 13,-61 Saint Vincent and the Grenadines
VE 10,-67 Venezuela
VG 18,-65 the British Virgin Islands
VI 18,-65 the Virgin Islands of the United States
VN 11,107 Vietnam
VU -18,168 Vanuatu
WF -13,-176 Wallis and Futuna
WS -14,-172 Samoa
YE 13,45 Yemen
YT -13,45 Mayotte
ZA -26,28 South Africa
ZM -15,28 Zambia
ZW -18,31 Zimbabwe
`

// A country is a line of the table.
type country struct {
	name   string
	points []point
}

// A point is a place on earth, in degrees, north and east positive.
type point struct{ Lat, Lon float64 }

// countries is never changed after it is made.
var countries = func() map[string]country {
	m := map[string]country{}
	for line := range strings.Lines(countryTable) {
		code, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		places, name, named := strings.Cut(rest, " ")
		if !ok || !named {
			continue
		}
		c := country{name: name}
		for place := range strings.SplitSeq(places, ";") {
			north, east, _ := strings.Cut(place, ",")
			lat, err := strconv.ParseFloat(north, 64)
			lon, err2 := strconv.ParseFloat(east, 64)
			if err == nil && err2 == nil {
				c.points = append(c.points, point{lat, lon})
			}
		}
		m[code] = c
	}
	return m
}()

// CountryName returns the English name of a country as it stands in a sentence ("the Netherlands"), the code itself when it is none.
func CountryName(code string) string {
	if c, ok := countries[strings.ToUpper(code)]; ok {
		return c.name
	}
	return code
}
