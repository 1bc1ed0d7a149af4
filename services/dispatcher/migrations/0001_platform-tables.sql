CREATE TABLE "airlock"."choicedefinition" (
	"tablename" text NOT NULL,
	"columnname" text NOT NULL,
	"value" integer NOT NULL,
	"label" text NOT NULL,
	"ordinal" integer NOT NULL,
	CONSTRAINT "choicedefinition_tablename_columnname_value_pk" PRIMARY KEY("tablename","columnname","value")
);
--> statement-breakpoint
CREATE TABLE "airlock"."columndefinition" (
	"tablename" text NOT NULL,
	"logicalname" text NOT NULL,
	"ordinal" integer NOT NULL,
	"displayname" text NOT NULL,
	"type" text NOT NULL,
	"required" boolean NOT NULL,
	"maxlength" integer,
	"scale" integer,
	"minimum" double precision,
	"maximum" double precision,
	"targets" text,
	CONSTRAINT "columndefinition_tablename_logicalname_pk" PRIMARY KEY("tablename","logicalname")
);
--> statement-breakpoint
CREATE TABLE "airlock"."keydefinition" (
	"tablename" text NOT NULL,
	"logicalname" text NOT NULL,
	"columns" text NOT NULL,
	"ordinal" integer NOT NULL,
	CONSTRAINT "keydefinition_tablename_logicalname_pk" PRIMARY KEY("tablename","logicalname")
);
--> statement-breakpoint
CREATE TABLE "airlock"."tabledefinition" (
	"logicalname" text PRIMARY KEY NOT NULL,
	"displayname" text NOT NULL,
	"displaycollectionname" text NOT NULL,
	"entitysetname" text NOT NULL,
	"primarynameattribute" text NOT NULL,
	"createrole" text,
	"readrole" text,
	"writerole" text,
	"deleterole" text,
	"customstepsallowed" boolean DEFAULT true NOT NULL,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"modifiedon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tabledefinition_entity_set_name" UNIQUE("entitysetname")
);
--> statement-breakpoint
CREATE TABLE "airlock"."asyncoperation" (
	"asyncoperationid" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"name" text NOT NULL,
	"operationtype" integer DEFAULT 1 NOT NULL,
	"statecode" integer DEFAULT 0 NOT NULL,
	"statuscode" integer DEFAULT 0 NOT NULL,
	"messagename" text NOT NULL,
	"primaryentitytype" text NOT NULL,
	"regardingobjectid" uuid,
	"regardingobjectidtype" text,
	"owningextensionid" uuid NOT NULL,
	"correlationid" uuid NOT NULL,
	"requestid" uuid,
	"parentpluginexecutionid" uuid,
	"depth" integer NOT NULL,
	"data" text NOT NULL,
	"dependencytoken" text,
	"postponeuntil" timestamp(3) with time zone,
	"asyncautodelete" boolean DEFAULT false NOT NULL,
	"friendlymessage" text,
	"message" text,
	"errorcode" integer,
	"retrycount" integer DEFAULT 0 NOT NULL,
	"startedon" timestamp(3) with time zone,
	"completedon" timestamp(3) with time zone,
	"executiontimespan" double precision,
	"sequence" bigint GENERATED ALWAYS AS IDENTITY (sequence name "airlock"."asyncoperation_sequence_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"hostid" text,
	"attempt" integer DEFAULT 0 NOT NULL,
	"leaseuntil" timestamp(3) with time zone,
	"pool" text DEFAULT 'default' NOT NULL,
	"bundledigest" text NOT NULL,
	"traceparent" text,
	"ownerid" uuid NOT NULL,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"createdby" uuid NOT NULL,
	"modifiedon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"modifiedby" uuid,
	"versionnumber" bigint DEFAULT nextval('data.versionnumber') NOT NULL,
	CONSTRAINT "asyncoperation_state" CHECK (("airlock"."asyncoperation"."statecode", "airlock"."asyncoperation"."statuscode") in ((0, 0), (1, 10), (2, 20), (2, 21), (2, 22), (3, 30), (3, 31), (3, 32)))
);
--> statement-breakpoint
CREATE TABLE "airlock"."plugintracelog" (
	"plugintracelogid" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"typename" text NOT NULL,
	"messagename" text NOT NULL,
	"primaryentity" text NOT NULL,
	"primaryentityid" uuid,
	"mode" integer NOT NULL,
	"operationtype" integer DEFAULT 1 NOT NULL,
	"depth" integer NOT NULL,
	"stage" integer NOT NULL,
	"configuration" text DEFAULT '' NOT NULL,
	"messageblock" text DEFAULT '' NOT NULL,
	"messageblocktruncated" boolean DEFAULT false NOT NULL,
	"exceptiondetails" text DEFAULT '' NOT NULL,
	"performanceconstructorstarttime" timestamp(3) with time zone,
	"performanceconstructorduration" integer,
	"performanceexecutionstarttime" timestamp(3) with time zone NOT NULL,
	"performanceexecutionduration" integer NOT NULL,
	"correlationid" uuid NOT NULL,
	"requestid" uuid,
	"pluginstepid" uuid NOT NULL,
	"stepname" text NOT NULL,
	"asyncoperationid" uuid,
	"attempt" integer,
	"issystemcreated" boolean DEFAULT false NOT NULL,
	"traceid" text NOT NULL,
	"reference" text,
	"bundlename" text NOT NULL,
	"bundleversion" text NOT NULL,
	"bundledigest" text NOT NULL,
	"failurekind" text,
	"errorcode" text,
	"wallms" double precision,
	"cpums" double precision,
	"heapbytes" bigint,
	"residentbytes" bigint,
	"hostcalls" integer,
	"hostcallbytes" bigint,
	"startkind" text,
	"workerid" text,
	"userid" uuid,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"createdby" uuid,
	"versionnumber" bigint DEFAULT nextval('data.versionnumber') NOT NULL
);
--> statement-breakpoint
CREATE TABLE "airlock"."apikey" (
	"apikeyid" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"systemuserid" uuid NOT NULL,
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"keyhash" text NOT NULL,
	"expireson" timestamp(3) with time zone NOT NULL,
	"lastusedon" timestamp(3) with time zone,
	"revokedon" timestamp(3) with time zone,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"createdby" uuid
);
--> statement-breakpoint
CREATE TABLE "airlock"."auditlog" (
	"auditlogid" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"systemuserid" uuid NOT NULL,
	"action" text NOT NULL,
	"objecttype" text NOT NULL,
	"objectid" text NOT NULL,
	"objectname" text,
	"changes" jsonb,
	"traceid" text
);
--> statement-breakpoint
CREATE TABLE "airlock"."organization" (
	"organizationid" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"name" text NOT NULL,
	"businessunitid" uuid NOT NULL,
	"plugintracelogsetting" integer DEFAULT 1 NOT NULL,
	"maxdepth" integer DEFAULT 8 NOT NULL,
	"metadataversion" bigint DEFAULT 1 NOT NULL,
	"registrationversion" bigint DEFAULT 1 NOT NULL,
	"singlerow" boolean DEFAULT true NOT NULL,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"modifiedon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"versionnumber" bigint DEFAULT nextval('data.versionnumber') NOT NULL,
	CONSTRAINT "organization_is_one_row" UNIQUE("singlerow"),
	CONSTRAINT "organization_single_row" CHECK ("airlock"."organization"."singlerow"),
	CONSTRAINT "organization_trace_setting" CHECK ("airlock"."organization"."plugintracelogsetting" between 0 and 2),
	CONSTRAINT "organization_max_depth" CHECK ("airlock"."organization"."maxdepth" between 1 and 8)
);
--> statement-breakpoint
CREATE TABLE "airlock"."systemuser" (
	"systemuserid" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"fullname" text NOT NULL,
	"internalemailaddress" text,
	"role" text NOT NULL,
	"isdisabled" boolean DEFAULT false NOT NULL,
	"cansignin" boolean DEFAULT true NOT NULL,
	"businessunitid" uuid NOT NULL,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"modifiedon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"createdby" uuid,
	"modifiedby" uuid,
	"versionnumber" bigint DEFAULT nextval('data.versionnumber') NOT NULL,
	CONSTRAINT "systemuser_role" CHECK ("airlock"."systemuser"."role" in ('user', 'author', 'operator'))
);
--> statement-breakpoint
CREATE TABLE "airlock"."pluginassembly" (
	"pluginassemblyid" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"name" text NOT NULL,
	"version" text NOT NULL,
	"digest" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"isolationmode" integer DEFAULT 2 NOT NULL,
	"stateless" boolean DEFAULT false NOT NULL,
	"iscurrent" boolean DEFAULT false NOT NULL,
	"size" integer NOT NULL,
	"code" "bytea" NOT NULL,
	"sourcemap" "bytea",
	"manifest" jsonb NOT NULL,
	"uploadedon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"uploadedby" uuid NOT NULL,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"modifiedon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"versionnumber" bigint DEFAULT nextval('data.versionnumber') NOT NULL,
	CONSTRAINT "pluginassembly_isolation" CHECK ("airlock"."pluginassembly"."isolationmode" in (1, 2))
);
--> statement-breakpoint
CREATE TABLE "airlock"."plugintype" (
	"plugintypeid" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"pluginassemblyid" uuid NOT NULL,
	"typename" text NOT NULL,
	"name" text NOT NULL,
	"friendlyname" text NOT NULL,
	"assemblyname" text NOT NULL,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"modifiedon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"versionnumber" bigint DEFAULT nextval('data.versionnumber') NOT NULL
);
--> statement-breakpoint
CREATE TABLE "airlock"."sdkmessage" (
	"sdkmessageid" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"name" text NOT NULL,
	"categoryname" text NOT NULL,
	"availability" integer DEFAULT 0 NOT NULL,
	"autotransact" boolean DEFAULT true NOT NULL,
	"isactive" boolean DEFAULT true NOT NULL,
	"isprivate" boolean DEFAULT false NOT NULL,
	"isreadonly" boolean DEFAULT false NOT NULL,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"modifiedon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"versionnumber" bigint DEFAULT nextval('data.versionnumber') NOT NULL
);
--> statement-breakpoint
CREATE TABLE "airlock"."sdkmessagefilter" (
	"sdkmessagefilterid" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"sdkmessageid" uuid NOT NULL,
	"primaryobjecttypecode" text NOT NULL,
	"secondaryobjecttypecode" text DEFAULT 'none' NOT NULL,
	"availability" integer DEFAULT 0 NOT NULL,
	"iscustomprocessingstepallowed" boolean NOT NULL,
	"isvisible" boolean DEFAULT true NOT NULL,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"modifiedon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"versionnumber" bigint DEFAULT nextval('data.versionnumber') NOT NULL
);
--> statement-breakpoint
CREATE TABLE "airlock"."sdkmessageprocessingstep" (
	"sdkmessageprocessingstepid" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"sdkmessageid" uuid NOT NULL,
	"sdkmessagefilterid" uuid,
	"plugintypeid" uuid NOT NULL,
	"stage" integer NOT NULL,
	"mode" integer DEFAULT 0 NOT NULL,
	"rank" integer DEFAULT 1 NOT NULL,
	"filteringattributes" text DEFAULT '' NOT NULL,
	"configuration" text DEFAULT '' NOT NULL,
	"sdkmessageprocessingstepsecureconfigid" uuid,
	"runas" text DEFAULT 'calling-user' NOT NULL,
	"impersonatinguserid" uuid,
	"asyncautodelete" boolean DEFAULT false NOT NULL,
	"supporteddeployment" integer DEFAULT 0 NOT NULL,
	"canbebypassed" boolean DEFAULT true NOT NULL,
	"statecode" integer DEFAULT 0 NOT NULL,
	"statuscode" integer DEFAULT 1 NOT NULL,
	"limits" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"managedby" text,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"modifiedon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"createdby" uuid,
	"modifiedby" uuid,
	"versionnumber" bigint DEFAULT nextval('data.versionnumber') NOT NULL,
	CONSTRAINT "step_stage" CHECK ("airlock"."sdkmessageprocessingstep"."stage" in (10, 20, 40)),
	CONSTRAINT "step_mode" CHECK ("airlock"."sdkmessageprocessingstep"."mode" = 0 or ("airlock"."sdkmessageprocessingstep"."mode" = 1 and "airlock"."sdkmessageprocessingstep"."stage" = 40)),
	CONSTRAINT "step_state" CHECK (("airlock"."sdkmessageprocessingstep"."statecode", "airlock"."sdkmessageprocessingstep"."statuscode") in ((0, 1), (1, 2))),
	CONSTRAINT "step_run_as" CHECK (("airlock"."sdkmessageprocessingstep"."runas" in ('calling-user', 'system') and "airlock"."sdkmessageprocessingstep"."impersonatinguserid" is null) or ("airlock"."sdkmessageprocessingstep"."runas" = 'user' and "airlock"."sdkmessageprocessingstep"."impersonatinguserid" is not null))
);
--> statement-breakpoint
CREATE TABLE "airlock"."sdkmessageprocessingstepimage" (
	"sdkmessageprocessingstepimageid" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"sdkmessageprocessingstepid" uuid NOT NULL,
	"name" text NOT NULL,
	"entityalias" text NOT NULL,
	"imagetype" integer NOT NULL,
	"messagepropertyname" text NOT NULL,
	"attributes" text,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"modifiedon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"versionnumber" bigint DEFAULT nextval('data.versionnumber') NOT NULL,
	CONSTRAINT "stepimage_type" CHECK ("airlock"."sdkmessageprocessingstepimage"."imagetype" in (0, 1, 2))
);
--> statement-breakpoint
CREATE TABLE "airlock"."sdkmessageprocessingstepsecureconfig" (
	"sdkmessageprocessingstepsecureconfigid" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"secureconfig" text NOT NULL,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"modifiedon" timestamp(3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "airlock"."choicedefinition" ADD CONSTRAINT "choicedefinition_tablename_columnname_columndefinition_tablename_logicalname_fk" FOREIGN KEY ("tablename","columnname") REFERENCES "airlock"."columndefinition"("tablename","logicalname") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "airlock"."columndefinition" ADD CONSTRAINT "columndefinition_tablename_tabledefinition_logicalname_fk" FOREIGN KEY ("tablename") REFERENCES "airlock"."tabledefinition"("logicalname") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "airlock"."keydefinition" ADD CONSTRAINT "keydefinition_tablename_tabledefinition_logicalname_fk" FOREIGN KEY ("tablename") REFERENCES "airlock"."tabledefinition"("logicalname") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "airlock"."apikey" ADD CONSTRAINT "apikey_systemuserid_systemuser_systemuserid_fk" FOREIGN KEY ("systemuserid") REFERENCES "airlock"."systemuser"("systemuserid") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "airlock"."plugintype" ADD CONSTRAINT "plugintype_pluginassemblyid_pluginassembly_pluginassemblyid_fk" FOREIGN KEY ("pluginassemblyid") REFERENCES "airlock"."pluginassembly"("pluginassemblyid") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "airlock"."sdkmessagefilter" ADD CONSTRAINT "sdkmessagefilter_sdkmessageid_sdkmessage_sdkmessageid_fk" FOREIGN KEY ("sdkmessageid") REFERENCES "airlock"."sdkmessage"("sdkmessageid") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "airlock"."sdkmessageprocessingstep" ADD CONSTRAINT "sdkmessageprocessingstep_sdkmessageid_sdkmessage_sdkmessageid_fk" FOREIGN KEY ("sdkmessageid") REFERENCES "airlock"."sdkmessage"("sdkmessageid") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "airlock"."sdkmessageprocessingstep" ADD CONSTRAINT "sdkmessageprocessingstep_sdkmessagefilterid_sdkmessagefilter_sdkmessagefilterid_fk" FOREIGN KEY ("sdkmessagefilterid") REFERENCES "airlock"."sdkmessagefilter"("sdkmessagefilterid") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "airlock"."sdkmessageprocessingstep" ADD CONSTRAINT "sdkmessageprocessingstep_plugintypeid_plugintype_plugintypeid_fk" FOREIGN KEY ("plugintypeid") REFERENCES "airlock"."plugintype"("plugintypeid") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "airlock"."sdkmessageprocessingstep" ADD CONSTRAINT "sdkmessageprocessingstep_sdkmessageprocessingstepsecureconfigid_sdkmessageprocessingstepsecureconfig_sdkmessageprocessingstepsecureconfigid_fk" FOREIGN KEY ("sdkmessageprocessingstepsecureconfigid") REFERENCES "airlock"."sdkmessageprocessingstepsecureconfig"("sdkmessageprocessingstepsecureconfigid") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "airlock"."sdkmessageprocessingstep" ADD CONSTRAINT "sdkmessageprocessingstep_impersonatinguserid_systemuser_systemuserid_fk" FOREIGN KEY ("impersonatinguserid") REFERENCES "airlock"."systemuser"("systemuserid") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "airlock"."sdkmessageprocessingstepimage" ADD CONSTRAINT "sdkmessageprocessingstepimage_sdkmessageprocessingstepid_sdkmessageprocessingstep_sdkmessageprocessingstepid_fk" FOREIGN KEY ("sdkmessageprocessingstepid") REFERENCES "airlock"."sdkmessageprocessingstep"("sdkmessageprocessingstepid") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "asyncoperation_ready" ON "airlock"."asyncoperation" USING btree ("pool","sequence") WHERE "airlock"."asyncoperation"."statecode" = 0;--> statement-breakpoint
CREATE INDEX "asyncoperation_waiting" ON "airlock"."asyncoperation" USING btree ("postponeuntil") WHERE "airlock"."asyncoperation"."statecode" = 1;--> statement-breakpoint
CREATE INDEX "asyncoperation_leased" ON "airlock"."asyncoperation" USING btree ("leaseuntil") WHERE "airlock"."asyncoperation"."statecode" = 2;--> statement-breakpoint
CREATE INDEX "asyncoperation_created" ON "airlock"."asyncoperation" USING btree ("createdon");--> statement-breakpoint
CREATE INDEX "asyncoperation_regarding" ON "airlock"."asyncoperation" USING btree ("regardingobjectid") WHERE "airlock"."asyncoperation"."regardingobjectid" is not null;--> statement-breakpoint
CREATE INDEX "asyncoperation_correlation" ON "airlock"."asyncoperation" USING btree ("correlationid");--> statement-breakpoint
CREATE INDEX "asyncoperation_step" ON "airlock"."asyncoperation" USING btree ("owningextensionid");--> statement-breakpoint
CREATE INDEX "plugintracelog_created" ON "airlock"."plugintracelog" USING btree ("createdon");--> statement-breakpoint
CREATE INDEX "plugintracelog_trace" ON "airlock"."plugintracelog" USING btree ("traceid");--> statement-breakpoint
CREATE INDEX "plugintracelog_reference" ON "airlock"."plugintracelog" USING btree ("reference") WHERE "airlock"."plugintracelog"."reference" is not null;--> statement-breakpoint
CREATE INDEX "plugintracelog_correlation" ON "airlock"."plugintracelog" USING btree ("correlationid");--> statement-breakpoint
CREATE INDEX "plugintracelog_step" ON "airlock"."plugintracelog" USING btree ("pluginstepid","createdon");--> statement-breakpoint
CREATE INDEX "plugintracelog_failed" ON "airlock"."plugintracelog" USING btree ("createdon") WHERE "airlock"."plugintracelog"."failurekind" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "apikey_hash" ON "airlock"."apikey" USING btree ("keyhash");--> statement-breakpoint
CREATE INDEX "apikey_user" ON "airlock"."apikey" USING btree ("systemuserid");--> statement-breakpoint
CREATE INDEX "auditlog_created" ON "airlock"."auditlog" USING btree ("createdon");--> statement-breakpoint
CREATE INDEX "auditlog_object" ON "airlock"."auditlog" USING btree ("objecttype","objectid","createdon");--> statement-breakpoint
CREATE INDEX "auditlog_user" ON "airlock"."auditlog" USING btree ("systemuserid","createdon");--> statement-breakpoint
CREATE INDEX "systemuser_fullname" ON "airlock"."systemuser" USING btree (lower("fullname" collate "pg_c_utf8"));--> statement-breakpoint
CREATE UNIQUE INDEX "pluginassembly_digest" ON "airlock"."pluginassembly" USING btree ("digest");--> statement-breakpoint
CREATE UNIQUE INDEX "pluginassembly_name_version" ON "airlock"."pluginassembly" USING btree ("name","version");--> statement-breakpoint
CREATE UNIQUE INDEX "pluginassembly_current" ON "airlock"."pluginassembly" USING btree ("name") WHERE "airlock"."pluginassembly"."iscurrent";--> statement-breakpoint
CREATE UNIQUE INDEX "plugintype_assembly_typename" ON "airlock"."plugintype" USING btree ("pluginassemblyid","typename");--> statement-breakpoint
CREATE UNIQUE INDEX "sdkmessage_name" ON "airlock"."sdkmessage" USING btree ("name");--> statement-breakpoint
CREATE UNIQUE INDEX "sdkmessagefilter_message_table" ON "airlock"."sdkmessagefilter" USING btree ("sdkmessageid","primaryobjecttypecode");--> statement-breakpoint
CREATE INDEX "step_message" ON "airlock"."sdkmessageprocessingstep" USING btree ("sdkmessageid");--> statement-breakpoint
CREATE INDEX "step_filter" ON "airlock"."sdkmessageprocessingstep" USING btree ("sdkmessagefilterid");--> statement-breakpoint
CREATE INDEX "step_plugintype" ON "airlock"."sdkmessageprocessingstep" USING btree ("plugintypeid");--> statement-breakpoint
CREATE INDEX "step_managedby" ON "airlock"."sdkmessageprocessingstep" USING btree ("managedby");--> statement-breakpoint
CREATE UNIQUE INDEX "stepimage_step_alias" ON "airlock"."sdkmessageprocessingstepimage" USING btree ("sdkmessageprocessingstepid","entityalias");