// Stands in for <os/log.h> where there is no SDK of Apple's, so that the crate oslog
// compiles for a check of types. Nothing that is shipped is built with it.
#include <stdint.h>

typedef struct os_log_s *os_log_t;
typedef uint8_t os_log_type_t;

#define OS_LOG_DEFAULT ((os_log_t)0)
#define os_log_with_type(log, type, ...) ((void)(log), (void)(type))
#define os_log_debug(log, ...) ((void)(log))
#define os_log_info(log, ...) ((void)(log))
#define os_log(log, ...) ((void)(log))
#define os_log_error(log, ...) ((void)(log))
#define os_log_fault(log, ...) ((void)(log))
