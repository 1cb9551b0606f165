package desk

// Heading is 見出し: what the answer page may show of a dispatch, kept in memory so that the page knows the mode without the
// database (law 14). It holds nothing about a person.
type Heading struct {
	DispatchID DispatchID
	Mode       Mode
	Subject    string // without the 【訓練】 stamp
}
