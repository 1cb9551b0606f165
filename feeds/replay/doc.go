// Package replay plays telegrams again: recorded files, and scenarios from which well-formed telegrams are generated.
//
// # Scenarios
//
// A scenario is a text file of facts, one statement a line; # starts a comment. From it real 気象庁防災情報XML telegrams
// are written, which take the same way through the house as those of the agency.
//
//	scenario noto 令和６年能登半島地震       name (letters, digits, - and _) and title
//	mode live                                live, drill or test; holds from here on
//	office 気象庁本庁                        editorial office; holds from here on
//	date 2024-01-01                          the day of the clock times that follow (JST); holds from here on
//	comment 0215                             comment codes of the reports that follow; "comment none" for none
//
//	quake at=16:10:22 place=390/石川県能登地方 lat=37.5 lon=137.2 depth=0 m=7.6 id=20240101161010
//	shake 7:390*1 6-:371 5+:370,372          observed maximum by 細分区域; *n = stations at it (1 when not given)
//	city 390 1738400/志賀町 7*1              a municipality of such an area, instead of one from the table
//	missing 390 1720400/輪島市               a municipality believed 5弱 or more without a report (未入電)
//	standard                                 eew (from 5弱), flash (from 3) and report n=1, at usual delays
//	eew +10s n=1 5-~5+:390 4:380             VXSE43; forecast from~to, to may be over; final=yes, assumed=yes
//	forecast +8s n=1 4:390                   VXSE45
//	flash +95s 6+:390 5+:391                 VXSE51; without a list all areas of 3 and more of shake
//	flash 23:05:15 like=20240101161010       VXSE51 with the list of another quake
//	hypocenter +150s                         VXSE52
//	report +330s n=1 6+:390 6-:371           VXSE53; a list overrides levels of shake
//	tsunami 16:22:32 major:360 warning:240   VTSE41; major, warning, advisory, slight, lifted
//	update 21:30:19 lat=37.5 lon=137.3 depth=20   VXSE61
//	cancel flash 23:14:30                    取消 of that kind; n= as in the telegram withdrawn
//	repeat +400s                             the telegram before this line again, with other line ends
//
// Statements after quake belong to it. A time is a delay after the origin (+95s, +1h2m) or a clock time (16:10:22, or
// with the day: 2024-01-02T01:15:00). depth and m may be unknown, m also over8. Every telegram takes n= (Serial), id=
// (another EventID), phase=corrected or delayed, comment=0215,0241, and lat, lon, depth, m of its own. Without id= the
// EventID of a quake is six seconds after its origin, about when the agency's system detects it.
package replay
