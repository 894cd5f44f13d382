internal import TocsinCore

extension MessageDecoderCore {
    /// CSV messages, each as an input of its own: seldom, and so by way of a batch of its own.
    mutating func decodeRows(
        _ messages: MessageBatch, _ range: Range<Int>, _ table: SeriesTable, _ batch: inout Batch
    ) {
        let book = EnvelopeBook(messages, defaultSensor: nil, limits: settings.limits)
        let header = settings.csvHeader.map { Array($0.utf8) + [UInt8(ascii: "\n")] }
        for message in range {
            let envelope = book.envelope(message)
            var plan = plan
            plan.mapping.defaultSensor = envelope?.sensor ?? plan.mapping.defaultSensor
            plan.mapping.timeFromReceipt = true
            var origin = batch.origin
            origin.received = book.time(message) ?? origin.received
            var decoder = CSVEventDecoder(plan, limits: settings.limits)
            if let header {
                _ = decoder.decode(InputRun(bytes: header, position: 0, layout: .rows), origin: origin, table: table)
                batch.header = header
            }
            let content = contents[message].range
            let run = InputRun(bytes: Array(messages.bytes[content]), position: 0, layout: .rows)
            let rows = decoder.decode(run, origin: origin, table: table)
            append(rows, message, at: content.lowerBound, to: &batch)
            if rows.rejects.isEmpty, rows.eventCount == 0, header == nil {
                let fault = DecodeFault.malformed(
                    "holds no row: neither JSON nor a number, and no CSV header with rows")
                batch.reject(message: message, payload: messages.payloads[message], fault, limits: settings.limits)
            }
            if let zone = book.zone(message) {
                table.withIndex { index in
                    for sensor in rows.sensors where index.zone(of: sensor) == nil { index.setZone(zone, of: sensor) }
                }
            }
        }
    }

    private func append(_ rows: Batch, _ message: Int, at offset: Int, to batch: inout Batch) {
        for event in 0..<rows.eventCount {
            let readings = rows.readings(of: event)
            batch.series.append(contentsOf: rows.series[readings])
            batch.values.append(contentsOf: rows.values[readings])
            let payload = rows.payloads[event]
            batch.appendEvent(
                sensor: rows.sensors[event], time: rows.times[event], key: rows.eventKeys[event],
                payload: ByteRange(offset: offset + Int(payload.offset), length: Int(payload.length)),
                label: rows.labels[event])
        }
        for reject in rows.rejects {
            let place = batch.origin.position &+ Int64(message)
            batch.rejects.append(
                Reject(
                    reason: reject.reason, detail: "Message \(place): \(reject.detail)",
                    payload: ByteRange(
                        offset: offset + Int(reject.payload.offset), length: Int(reject.payload.length)),
                    count: reject.count))
        }
    }
}
