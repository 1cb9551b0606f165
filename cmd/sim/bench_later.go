package main

import "context"

// benchProcesses are the verbs the bench starts in processes of their own.
type benchProcesses struct {
	BenchEngine benchEngineCommand `cmd:"" hidden:""`
	BenchBare   benchBareCommand   `cmd:"" hidden:""`
}

func answersSection(ctx context.Context, b *bench) ([]measure, error) { return nil, nil }
func tallySection(ctx context.Context, b *bench) ([]measure, error)   { return nil, nil }
func decodeSection(ctx context.Context, b *bench) ([]measure, error)  { return nil, nil }
