internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
public import TocsinCore

/// A question of the dashboard's own: never free SQL from the network.
public struct LakeQuestion: Sendable {
    public enum Name: String, CaseIterable, Sendable {
        /// Aggregates of a sensor's metric by hour or by day.
        case hourly, daily
        /// Files and bytes by layer and table.
        case storage
    }

    public var name: Name
    public var query: RecordQuery
}

/// `GET /query?name=hourly&sensor_id=…`: fixed questions over the lake.
struct LakeRoutes {
    /// Answers with one JSON array.
    let answer: @Sendable (LakeQuestion) async throws -> [UInt8]

    func add(to router: Router<BasicRequestContext>) {
        router.get("query") { request, _ in
            let allowed: Set = ["name", "sensor_id", "metric", "start_time", "end_time", "limit", "offset"]
            let parameters = try QueryParameters(request, allowed: allowed)
            let names = LakeQuestion.Name.allCases.map(\.rawValue)
            guard let name = parameters.text("name").flatMap(LakeQuestion.Name.init(rawValue:)) else {
                throw Problem(
                    .badRequest,
                    "'name' is \(names.joined(separator: ", ")); free SQL is for `tocsin query` on the machine itself",
                    parameter: "name")
            }
            let rows = try await answer(LakeQuestion(name: name, query: try parameters.recordQuery()))
            return Response(
                status: .ok, headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"],
                body: .init(byteBuffer: ByteBuffer(bytes: rows)))
        }
    }
}
