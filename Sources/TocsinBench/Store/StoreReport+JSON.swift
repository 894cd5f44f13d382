internal import TocsinCore
internal import TocsinMeasure

extension StoreReport {
    /// One JSON object and an end of line.
    public var json: [UInt8] {
        var json = JSONWriter()
        json.object {
            ReportFile.begin("store", &$0)
            $0.field("engine", settings.engine.rawValue)
            $0.field("sensors", StoreBenchSettings.sensors)
            if let writing { Self.write(writing, to: &$0) }
            guard !listings.isEmpty else { return }
            $0.field("stored_events", settings.stored)
            $0.key("listings")
            $0.array { list in for run in listings { Self.write(run, to: &list) } }
        }
        json.newline()
        return json.bytes
    }

    private static func write(_ writing: StoreWriteFigure, to json: inout JSONWriter) {
        json.key("writing")
        json.object {
            $0.field("rows", writing.rows)
            $0.field("rows_per_write", writing.rowsPerWrite)
            writing.rowsPerSecond.write("rows_per_second", to: &$0)
            writing.rowsPerCPUSecond.write("rows_per_cpu_second", to: &$0)
            $0.field("bytes_per_event", writing.bytesPerEvent)
            $0.field("slowest_write_ms", Double(writing.slowestWrite) / 1e6)
            guard !writing.psqlRatio.values.isEmpty else { return }
            writing.psqlRowsPerSecond.write("psql_rows_per_second", to: &$0)
            writing.psqlRatio.write("times_psql", to: &$0)
        }
    }

    private static func write(_ run: ListingRun, to json: inout JSONWriter) {
        json.object {
            $0.field("name", run.name)
            if let written = run.written {
                $0.field("written_rows_per_second", written.rowsPerSecond)
                $0.field("slowest_write_ms", Double(written.slowestWrite) / 1e6)
            }
            write(run.total, countsCPU: run.countsCPU, to: &$0)
            $0.key("kinds")
            $0.array { list in
                for figure in run.figures {
                    list.object {
                        $0.field("table", figure.table.rawValue)
                        $0.field("filter", figure.filter.rawValue)
                        $0.field("rows", figure.rows)
                        write(figure.times, countsCPU: run.countsCPU, to: &$0)
                    }
                }
            }
        }
    }

    private static func write(_ times: ListingTimes, countsCPU: Bool, to json: inout JSONWriter) {
        json.field("queries", Int(clamping: times.wall.count))
        func fields(_ name: String, _ histogram: HdrHistogram) {
            json.field("\(name)_p50_ms", Double(histogram.value(atQuantile: 0.5)) / 1e6)
            json.field("\(name)_p99_ms", Double(histogram.value(atQuantile: 0.99)) / 1e6)
            json.field("\(name)_max_ms", Double(histogram.maximum) / 1e6)
        }
        fields("wall", times.wall)
        if countsCPU { fields("cpu", times.cpu) }
    }
}
