import FuzzDriver
import FuzzProperties

@_cdecl("FuzzJSON_main")
func start(_ count: CInt, _ arguments: FuzzArguments) -> CInt { fuzz(.json, count, arguments) }
