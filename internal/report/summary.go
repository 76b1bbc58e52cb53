package report

// Summary placeholder
type Summary struct {
	Schema int `json:"schema"`
}
