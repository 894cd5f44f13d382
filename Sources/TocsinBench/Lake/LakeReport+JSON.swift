internal import TocsinCore
internal import TocsinMeasure

extension LakeReport {
    /// One JSON object and an end of line.
    public var json: [UInt8] {
        var json = JSONWriter()
        json.object {
            ReportFile.begin("lake", &$0)
            $0.field("repeats", repeats)
            $0.key("bronze")
            $0.array { list in for figure in bronze { Self.write(figure, to: &list) } }
            if let line {
                $0.key("whole_line")
                $0.object { Self.write(line, to: &$0) }
            }
            guard let etl else { return }
            $0.key("etl")
            $0.array { list in
                for figure in etl.kinds + [etl.small, etl.pandas].compactMap(\.self) {
                    list.object {
                        $0.field("name", figure.name)
                        $0.field("rows", figure.rows)
                        figure.rowsPerSecond.write("rows_per_second", to: &$0)
                        if !figure.cpuSeconds.values.isEmpty { figure.cpuSeconds.write("cpu_seconds", to: &$0) }
                    }
                }
            }
            if let times = etl.timesPandas { $0.field("times_pandas", times) }
        }
        json.newline()
        return json.bytes
    }

    private static func write(_ figure: BronzeFigure, to json: inout JSONWriter) {
        json.object {
            $0.field("keeps_payload", figure.keepsPayload)
            $0.field("readings", figure.readings)
            $0.field("files", figure.files)
            $0.field("bytes_per_reading", figure.bytesPerReading)
            figure.readingsPerSecond.write("readings_per_second", to: &$0)
            figure.cpuSeconds.write("cpu_seconds", to: &$0)
        }
    }

    private static func write(_ line: LakeLineFigure, to json: inout JSONWriter) {
        json.field("readings", line.readings)
        line.alone.write("readings_per_second_alone", to: &json)
        line.beside.write("readings_per_second_with_lake", to: &json)
        line.loss.write("share_of_speed_lost", to: &json)
        line.cpuAlone.write("cpu_seconds_alone", to: &json)
        line.cpuBeside.write("cpu_seconds_with_lake", to: &json)
        line.shareWritten.write("share_in_bronze_at_end", to: &json)
        line.secondsBehind.write("seconds_behind_at_end", to: &json)
    }
}
