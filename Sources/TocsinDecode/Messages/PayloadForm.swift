/// What the payloads of messages are written in. The raw values are the words of the configuration.
public enum PayloadForm: String, CaseIterable, Sendable {
    /// Finds out by each payload's first bytes and its topic, see `docs/formats.md`.
    case auto
    /// A JSON message, an array of messages, or several lines of them; a bare number too.
    case json
    /// CSV rows: with a header line in each payload, or with `MessageDecoderSettings.csvHeader`.
    case csv
    /// One decimal number, `true`, `false`, `on` or `off`.
    case number
    /// SenML in JSON (RFC 8428).
    case senmlJSON = "senml-json"
    /// SenML in CBOR (RFC 8428, 8949).
    case senmlCBOR = "senml-cbor"
    /// Eclipse Sparkplug B 3.0.
    case sparkplugB = "sparkplug-b"
    /// InfluxDB line protocol.
    case influx
    /// JSON behind the five bytes of a schema registry's framing.
    case confluentJSON = "confluent-json"
    /// Avro behind the five bytes of a schema registry's framing.
    case avro = "confluent-avro"
    /// Protobuf behind the five bytes of a schema registry's framing and the indexes of its message.
    case protobuf = "confluent-protobuf"
    /// OpenTelemetry metrics: `ExportMetricsServiceRequest` as Protobuf.
    case otlpProtobuf = "otlp-protobuf"
    /// OpenTelemetry metrics: `ExportMetricsServiceRequest` as JSON.
    case otlpJSON = "otlp-json"
}
