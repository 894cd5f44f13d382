internal import TocsinCore

/// The answer to an export request (`ExportMetricsServiceResponse`).
public enum OTLPResponse {
    public enum Encoding: Sendable { case protobuf, json }

    /// google.rpc.Status: what a failed request is answered with.
    /// - Parameter code: of google.rpc.Code.
    public static func encode(code: Int, message: String, as encoding: Encoding) -> [UInt8] {
        switch encoding {
        case .protobuf:
            var status = ProtobufWriter()
            status.varint(1, UInt64(clamping: code))
            status.text(2, message)
            return status.bytes
        case .json:
            var json = JSONWriter()
            json.object {
                $0.field("code", code)
                $0.field("message", message)
            }
            return json.bytes
        }
    }

    /// Empty where nothing was rejected and there is nothing to say; else a partial success.
    public static func encode(rejected: Int, message: String, as encoding: Encoding) -> [UInt8] {
        let isPartial = rejected > 0 || !message.isEmpty
        switch encoding {
        case .protobuf:
            var response = ProtobufWriter()
            guard isPartial else { return [] }
            response.message(1) { partial in
                if rejected > 0 { partial.varint(1, UInt64(rejected)) }
                if !message.isEmpty { partial.text(2, message) }
            }
            return response.bytes
        case .json:
            var json = JSONWriter()
            json.object { response in
                guard isPartial else { return }
                response.key("partialSuccess")
                response.object { partial in
                    // 64-bit integers are strings in Protobuf's JSON.
                    if rejected > 0 { partial.field("rejectedDataPoints", String(rejected)) }
                    if !message.isEmpty { partial.field("errorMessage", message) }
                }
            }
            return json.bytes
        }
    }
}
