package jma

import "encoding/xml"

// The structs below follow jmx.xsd, jmx_ib.xsd, jmx_eb.xsd and jmx_seis.xsd (Ver.1.3). They name only what is read.
// Report, Control, Head, Body and the elementBasis1 elements are matched by namespace, the rest by its path below them,
// because local names such as Title, Text, Kind and Area repeat between namespaces (feeds.md 9).

type report struct {
	XMLName     xml.Name     `xml:"http://xml.kishou.go.jp/jmaxml1/ Report"`
	Control     []control    `xml:"http://xml.kishou.go.jp/jmaxml1/ Control"`
	Head        []head       `xml:"http://xml.kishou.go.jp/jmaxml1/informationBasis1/ Head"`
	Seismology  *seismology  `xml:"http://xml.kishou.go.jp/jmaxml1/body/seismology1/ Body"`
	Meteorology *foreignBody `xml:"http://xml.kishou.go.jp/jmaxml1/body/meteorology1/ Body"`
	Volcanology *foreignBody `xml:"http://xml.kishou.go.jp/jmaxml1/body/volcanology1/ Body"`
}

// foreignBody marks that a body of that kind is there. readMeteorology and readVolcanology decode it from the raw bytes, so that
// a seismic telegram, which is in a hurry, never pays for their structs.
type foreignBody struct{}

// Control and head are read as lists of what the schema allows once: of two the decoder would keep the last, and a telegram that
// says 訓練 and then 通常 must not pass as live (law 4).
type control struct {
	Title           []string
	DateTime        []string
	Status          []string
	EditorialOffice []string
}

type head struct {
	Title          []string
	ReportDateTime []string
	TargetDateTime []string
	ValidDateTime  []string
	EventID        []string
	InfoType       []string
	Serial         []string
	Headline       string         `xml:"Headline>Text"`
	Information    []headlineInfo `xml:"Headline>Information"`
}

// headlineInfo is Headline/Information of one granularity. Only early warnings are read from it: what is newly warned stands
// nowhere else (feeds.md 1.10). Tsunami areas are never read from here (feeds.md 1.9).
type headlineInfo struct {
	Type  string `xml:"type,attr"`
	Items []struct {
		Kind     string   `xml:"Kind>Code"`
		LastKind string   `xml:"LastKind>Code"`
		Areas    []string `xml:"Areas>Area>Code"`
	} `xml:"Item"`
}

type seismology struct {
	Forecasts      []tsunamiItem       `xml:"Tsunami>Forecast>Item"`
	Observations   []tsunamiItem       `xml:"Tsunami>Observation>Item"`
	Estimations    []tsunamiItem       `xml:"Tsunami>Estimation>Item"`
	Earthquakes    []earthquake        `xml:"Earthquake"`
	Observation    *intensityDetail    `xml:"Intensity>Observation"`
	Forecast       *intensityDetail    `xml:"Intensity>Forecast"`
	TokaiText      string              `xml:"Tokai>Text"`
	Info           *earthquakeInfo     `xml:"EarthquakeInfo"`
	Counts         []countItem         `xml:"EarthquakeCount>Item"`
	AftershockText string              `xml:"Aftershock>Text"`
	Text           string              `xml:"Text"`
	NextAdvisory   string              `xml:"NextAdvisory"`
	Comments       *commentsOfTelegram `xml:"Comments"`
}

// earthquakeInfo is 南海トラフ地震に関連する情報 and 北海道・三陸沖後発地震注意情報; the latter has no InfoSerial.
type earthquakeInfo struct {
	InfoKind string
	Name     string `xml:"InfoSerial>Name"`
	Code     string `xml:"InfoSerial>Code"`
	Text     string
}

// countItem is one line of 地震回数に関する情報; a number below 0 is 不明.
type countItem struct {
	Kind       string `xml:"type,attr"`
	StartTime  string
	EndTime    string
	Number     string
	FeltNumber string
	Condition  string
}

type commentsOfTelegram struct {
	Warning  *comment `xml:"WarningComment"`
	Forecast *comment `xml:"ForecastComment"`
	Var      *comment `xml:"VarComment"`
	FreeForm string   `xml:"FreeFormComment"`
}

type comment struct {
	Text string
	Code string
}

type earthquake struct {
	OriginTime string
	Condition  string
	Hypocenter *struct {
		Area struct {
			Name        string
			Code        string
			Coordinates []string `xml:"http://xml.kishou.go.jp/jmaxml1/elementBasis1/ Coordinate"`
		}
		Source   string
		Accuracy *accuracy
	}
	Magnitudes []magnitude `xml:"http://xml.kishou.go.jp/jmaxml1/elementBasis1/ Magnitude"`
}

// accuracy is 精度値 of an early warning; the element texts are NaN, the ranks are what counts.
type accuracy struct {
	Epicenter struct {
		Rank  string `xml:"rank,attr"`
		Rank2 string `xml:"rank2,attr"`
	}
	Depth struct {
		Rank string `xml:"rank,attr"`
	}
	MagnitudeCalculation struct {
		Rank string `xml:"rank,attr"`
	}
	NumberOfMagnitudeCalculation string
}

type magnitude struct {
	Value       string `xml:",chardata"`
	Condition   string `xml:"condition,attr"`
	Description string `xml:"description,attr"`
}

type intensityDetail struct {
	MaxInt        string
	MaxLgInt      string
	LgCategory    string
	ForecastInt   *forecastInt
	ForecastLgInt *forecastInt
	ChangeReason  string `xml:"Appendix>MaxIntChangeReason"`
	Pref          []intensityPref
}

type forecastInt struct {
	From string
	To   string
}

type intensityPref struct {
	Name     string
	Code     string
	MaxInt   string
	MaxLgInt string
	Area     []intensityArea
}

type intensityArea struct {
	Name        string
	Code        string
	MaxInt      string
	MaxLgInt    string
	Kind        string `xml:"Category>Kind>Code"`
	Condition   string
	ForecastInt *forecastInt
	City        []intensityCity
}

type intensityCity struct {
	Name      string
	Condition string
	Station   []intensityStation `xml:"IntensityStation"`
}

type intensityStation struct {
	Int string
}

type tsunamiItem struct {
	Area struct {
		Name string
		Code string
	}
	Kind        string `xml:"Category>Kind>Code"`
	LastKind    string `xml:"Category>LastKind>Code"`
	FirstHeight firstHeight
	MaxHeight   maxHeight
	Stations    []tsunamiStation `xml:"Station"`
}

type tsunamiStation struct {
	Name             string
	Code             string
	Sensor           string
	HighTideDateTime string
	FirstHeight      firstHeight
	MaxHeight        maxHeight
}

type firstHeight struct {
	ArrivalTime string
	Condition   string
	Initial     string
}

type maxHeight struct {
	DateTime  string
	Condition string
	Height    *tsunamiHeight `xml:"http://xml.kishou.go.jp/jmaxml1/elementBasis1/ TsunamiHeight"`
}

type tsunamiHeight struct {
	Value       string `xml:",chardata"`
	Unit        string `xml:"unit,attr"`
	Condition   string `xml:"condition,attr"`
	Description string `xml:"description,attr"`
}
