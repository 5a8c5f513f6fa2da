package archive

import (
	"fmt"
	"testing"

	"tocsin/internal/disk"
	"tocsin/internal/record"
)

func BenchmarkAppend(b *testing.B)    { benchmark(b, 1000, false) }
func BenchmarkAppend100(b *testing.B) { benchmark(b, 100, false) }
func BenchmarkRead(b *testing.B)      { benchmark(b, 1000, true) }
func BenchmarkRead100(b *testing.B)   { benchmark(b, 100, true) }

// benchmark measures lines like those of a web server, on the real disk, in batches of size lines.
func benchmark(b *testing.B, size int, read bool) {
	folder, err := disk.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer folder.Close()
	a, _ := open(b, folder, Options{Reserve: 1})
	batch := webBatch(size)
	fill := func() {
		for range b.N {
			if _, err := a.Append(batch); err != nil {
				b.Fatal(err)
			}
		}
	}
	if !read {
		b.ResetTimer()
		fill()
	} else {
		fill()
		b.ResetTimer()
		for from := int64(1); from <= a.Last(); {
			blocks, err := a.Read(from, 1000)
			if err != nil {
				b.Fatal(err)
			}
			for _, block := range blocks {
				from += int64(len(block.Lines))
			}
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(size*b.N)/b.Elapsed().Seconds(), "lines/s")
	if err := a.Close(); err != nil {
		b.Fatal(err)
	}
}

func webBatch(size int) record.Batch {
	batch := record.Batch{Received: noon, Positions: []record.Position{{File: "/var/log/nginx/access.log"}}}
	for i := range size {
		raw := fmt.Sprintf("203.0.113.%d - - [01/Mar/2026:12:00:00 +0000] \"GET /catalog/product/view/id/%d HTTP/1.1\" 200 %d \"https://shop.example/\" \"Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0\"", i%251, i*7919%1000, i*104729%90000)
		batch.Lines = append(batch.Lines, record.Line{File: "/var/log/nginx/access.log", Offset: int64(i * 180), Raw: raw})
	}
	return batch
}
