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
	Meteorology *ignoredBody `xml:"http://xml.kishou.go.jp/jmaxml1/body/meteorology1/ Body"`
	Volcanology *ignoredBody `xml:"http://xml.kishou.go.jp/jmaxml1/body/volcanology1/ Body"`
}

// ignoredBody marks that a body of that kind is there. Its content is read by later work; the verbatim text is stored.
type ignoredBody struct{}

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
	Headline       string `xml:"Headline>Text"`
}

type seismology struct {
	Tsunami        []tsunamiItem       `xml:"Tsunami>Forecast>Item"`
	Earthquakes    []earthquake        `xml:"Earthquake"`
	Observation    *intensityDetail    `xml:"Intensity>Observation"`
	Forecast       *intensityDetail    `xml:"Intensity>Forecast"`
	TokaiText      string              `xml:"Tokai>Text"`
	InfoText       string              `xml:"EarthquakeInfo>Text"`
	AftershockText string              `xml:"Aftershock>Text"`
	Text           string              `xml:"Text"`
	NextAdvisory   string              `xml:"NextAdvisory"`
	Comments       *commentsOfTelegram `xml:"Comments"`
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
		Source string
	}
	Magnitudes []magnitude `xml:"http://xml.kishou.go.jp/jmaxml1/elementBasis1/ Magnitude"`
}

type magnitude struct {
	Value       string `xml:",chardata"`
	Condition   string `xml:"condition,attr"`
	Description string `xml:"description,attr"`
}

type intensityDetail struct {
	MaxInt      string
	ForecastInt *forecastInt
	Pref        []intensityPref
}

type forecastInt struct {
	From string
	To   string
}

type intensityPref struct {
	Name   string
	Code   string
	MaxInt string
	Area   []intensityArea
}

type intensityArea struct {
	Name        string
	Code        string
	MaxInt      string
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
	FirstHeight struct {
		ArrivalTime string
		Condition   string
	}
	MaxHeight struct {
		Condition string
		Height    *struct {
			Value       string `xml:",chardata"`
			Unit        string `xml:"unit,attr"`
			Description string `xml:"description,attr"`
		} `xml:"http://xml.kishou.go.jp/jmaxml1/elementBasis1/ TsunamiHeight"`
	}
}
