import BigLittleBindings
import Foundation

// The run-time policy: what an app tells it, and what it says. All of it needs
// `EngineOptions.runtime`.
extension BigLittle {
  /// Takes a reading of the device. Never waits for a run; it counts from the next
  /// frame on. Without run-time options it changes nothing.
  nonisolated public func push(_ reading: DeviceReading) throws {
    try calling { try native.pushReading(reading: reading) }
  }

  /// Sets what the user prefers, from the next frame on. Never waits for a run.
  nonisolated public func setMode(_ mode: UserMode) throws {
    try calling { try native.setMode(mode: mode) }
  }

  /// Sets what may be spent on the big network, or that nothing limits it, from the
  /// next frame on. Never waits for a run.
  ///
  /// - Throws: ``BigLittleError/invalidArgument(_:)``; the budget before stays.
  nonisolated public func setBudget(_ budget: Budget?) throws {
    try calling { try native.setBudget(budget: budget) }
  }

  /// What is in force now, and why.
  public func status() throws -> EngineStatus {
    try calling { try native.status() }
  }

  /// What was spent on what, and what that saved against the big network alone.
  ///
  /// - Parameter energy: Where joules come from. Multiply-accumulates, the default,
  ///   give a ratio and no joules.
  public func savings(energy: EnergyModel = .macModel) throws -> SavingsReport {
    try calling { try native.savings(model: energy) }
  }

  /// The sums of this session as JSON, as `biglittle report` reads them. They hold no
  /// image, no answer and nothing that tells one phone from another.
  public func summaryJSON() throws -> String {
    try calling { try native.summaryJson() }
  }

  /// Writes what has to outlive the app to the file that the options name. Call it
  /// when the app goes to the background.
  ///
  /// - Throws: ``BigLittleError/io(_:)`` when it cannot be written,
  ///   ``BigLittleError/invalidArgument(_:)`` when the options name no file.
  public func saveState() throws {
    try calling { try native.saveState() }
  }

  /// Begins to log at `level`, to the unified log. Without it nothing is logged.
  public static func startLogging(_ level: LogLevel) throws {
    try calling { try initLogging(level: level) }
  }
}
